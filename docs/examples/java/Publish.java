// Publishes events of a user and two documents with Kafka's own client:
// mvn -q dependency:copy-dependencies -DoutputDirectory=jars && java -cp 'jars/*' Publish.java
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.StringSerializer;

class Publish {
    static final Map<String, String> TOPICS = Map.of(
        "user", System.getenv().getOrDefault("USERS_TOPIC", "users"),
        "document", System.getenv().getOrDefault("DOCUMENTS_TOPIC", "documents"));
    static final UUID NAMESPACE = UUID.fromString("9399278b-d2a7-4c40-872f-86543488781f"); // of this system, made once
    static final Map<String, Object> SETTINGS = Map.of(
        "bootstrap.servers", System.getenv("KAFKA_BOOTSTRAP_SERVERS"),
        "enable.idempotence", true, // the default partitioner is murmur2 of the key
        "acks", "all");

    /** The UUID (version 5, RFC 9562) of a row whose key is a number: always the same one. */
    static UUID entityId(String table, int number) throws Exception {
        var sha1 = MessageDigest.getInstance("SHA-1");
        sha1.update(ByteBuffer.allocate(16).putLong(NAMESPACE.getMostSignificantBits())
            .putLong(NAMESPACE.getLeastSignificantBits()).flip());
        var hash = ByteBuffer.wrap(sha1.digest((table + "/" + number).getBytes(UTF_8)));
        return new UUID(hash.getLong() & ~0xf000L | 0x5000L, hash.getLong() & (-1L >>> 2) | Long.MIN_VALUE);
    }

    static Map<String, Object> event(String type, UUID id, int version, Map<String, ?> fields) {
        var data = new LinkedHashMap<String, Object>(Map.of("id", id, "version", version));
        data.putAll(fields);
        return Map.of("specversion", "1.0", "id", UUID.randomUUID(), "source", "/examples/java", "type", type,
            "time", Instant.now().toString(), "data", data);
    }

    static void send(Producer<String, String> producer, Map<String, Object> event) throws Exception {
        var topic = TOPICS.get(event.get("type").toString().split("\\.")[0]);
        var key = ((Map<?, ?>) event.get("data")).get("id").toString();
        var record = new ProducerRecord<>(topic, key, new ObjectMapper().writeValueAsString(event));
        record.headers().add("content-type", "application/cloudevents+json".getBytes(UTF_8));
        producer.send(record).get();
    }

    public static void main(String[] arguments) throws Exception {
        UUID user = entityId("user", 1), letter = entityId("document", 1), draft = entityId("document", 2);
        try (var producer = new KafkaProducer<>(SETTINGS, new StringSerializer(), new StringSerializer())) {
            send(producer, event("user.created", user, 1, Map.of("email", "ada@java.example", "name", "Ada")));
            send(producer, event("user.updated", user, 2, Map.of("name", "Ada Lovelace")));
            send(producer, event("document.created", letter, 1, Map.of("title", "A letter", "user_id", user)));
            send(producer, event("document.updated", letter, 2, Map.of("content", "Dear Charles")));
            send(producer, event("document.created", draft, 1, Map.of("title", "A draft", "user_id", user)));
            send(producer, event("document.deleted", draft, 2, Map.of()));
        }
    }
}
