#!/usr/bin/env bash
# Publishes events of a user and two documents with kcat: apt-get install kcat, brew install kcat
set -euo pipefail

user=2f1d8f0e-6f0b-4f6e-9c39-0f8f4d1f8a11
letter=7a1c7a34-52ab-4b4e-8f0e-5a6c1f1d9b21
draft=c3b0e6b5-1f0d-4a9a-a7d3-6f2e8a4c7d31

event() { # type, id of the entity, version, more fields of data
  printf '%s\t{"specversion":"1.0","id":"%s","source":"/examples/kcat","type":"%s","time":"%s","data":{"id":"%s","version":%s%s}}\n' \
    "$2" "$2/$3" "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" "$3" "${4-}"
}

send() { # topic; lines of key, tab, event
  kcat -P -b "$KAFKA_BOOTSTRAP_SERVERS" -t "$1" -K '\t' -H content-type=application/cloudevents+json \
    -X partitioner=murmur2_random -X enable.idempotence=true -X acks=all
}

{
  event user.created "$user" 1 ',"email":"ada@kcat.example","name":"Ada"'
  event user.updated "$user" 2 ',"name":"Ada Lovelace"'
} | send "${USERS_TOPIC:-users}"
{
  event document.created "$letter" 1 ",\"title\":\"A letter\",\"user_id\":\"$user\""
  event document.updated "$letter" 2 ',"content":"Dear Charles"'
  event document.created "$draft" 1 ",\"title\":\"A draft\",\"user_id\":\"$user\""
  event document.deleted "$draft" 2
} | send "${DOCUMENTS_TOPIC:-documents}"
