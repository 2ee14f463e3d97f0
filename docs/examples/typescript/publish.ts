// Publishes events of a user and two documents with KafkaJS: npm ci && npx tsc && node publish.js
import { createHash, randomUUID } from "node:crypto";
import { env } from "node:process";
import { Kafka, Partitioners } from "kafkajs";

const TOPICS = { user: env.USERS_TOPIC ?? "users", document: env.DOCUMENTS_TOPIC ?? "documents" };
const NAMESPACE = "eb738f1c-e6f6-4f4c-8059-7e0acca09276"; // of this system, made once with randomUUID

const kafka = new Kafka({ brokers: env.KAFKA_BOOTSTRAP_SERVERS!.split(",") });
const producer = kafka.producer({
  createPartitioner: Partitioners.DefaultPartitioner, // Java's; the LegacyPartitioner is another one
  idempotent: true,
});

type Event = { type: string; data: { id: string; version: number } };

/** The UUID (version 5, RFC 9562) of a row whose key is a number: always the same one. */
function entityId(table: string, number: number): string {
  const hash = createHash("sha1").update(Buffer.from(NAMESPACE.replaceAll("-", ""), "hex")).update(`${table}/${number}`);
  const bytes = hash.digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function event(type: string, id: string, version: number, fields: object = {}): Event {
  const time = new Date().toISOString();
  return {
    ...{ specversion: "1.0", id: randomUUID(), source: "/examples/kafkajs", type, time },
    data: { id, version, ...fields },
  };
}

async function send(event: Event): Promise<void> {
  const headers = { "content-type": "application/cloudevents+json" };
  await producer.send({
    topic: TOPICS[event.type.split(".")[0] as keyof typeof TOPICS],
    acks: -1,
    messages: [{ key: event.data.id, value: JSON.stringify(event), headers }],
  });
}

const [user, letter, draft] = [entityId("user", 1), entityId("document", 1), entityId("document", 2)];
await producer.connect();
await send(event("user.created", user, 1, { email: "ada@kafkajs.example", name: "Ada" }));
await send(event("user.updated", user, 2, { name: "Ada Lovelace" }));
await send(event("document.created", letter, 1, { title: "A letter", user_id: user }));
await send(event("document.updated", letter, 2, { content: "Dear Charles" }));
await send(event("document.created", draft, 1, { title: "A draft", user_id: user }));
await send(event("document.deleted", draft, 2));
await producer.disconnect();
