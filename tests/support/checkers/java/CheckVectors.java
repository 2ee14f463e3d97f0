// java -cp 'jars/*' CheckVectors.java SCHEMA VECTORS...: a line for each vector: its name, and what the schema (networknt) says of it.
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.*;
import com.networknt.schema.*;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.file.*;
import java.util.*;

class CheckVectors {
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    static byte[] bytes(JsonNode part) {
        if (part.isTextual()) return part.textValue().getBytes(UTF_8);
        if (part.has("base64")) return Base64.getDecoder().decode(part.get("base64").textValue());
        var whole = new ByteArrayOutputStream();
        for (var run : part.get("repeat")) whole.writeBytes(run.get(0).textValue().repeat(run.get(1).intValue()).getBytes(UTF_8));
        return whole.toByteArray();
    }

    /** Whether the record is an event in structured form. */
    static boolean structured(JsonNode vector) {
        var kind = "";
        for (var header : vector.get("headers")) {
            var name = header.get(0).isTextual() ? header.get(0).textValue().toLowerCase(Locale.ROOT) : "";
            if (name.startsWith("ce_")) return false;
            if (name.equals("content-type") && !header.get(1).isNull())
                kind = new String(bytes(header.get(1)), UTF_8).split(";")[0].toLowerCase(Locale.ROOT);
        }
        return !vector.get("value").isNull() && List.of("", "application/json", "application/cloudevents+json").contains(kind);
    }

    static String verdict(Schema schema, JsonNode vector) {
        if (!structured(vector)) return "not structured";
        try {
            var strictly = UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT);
            var event = JSON.readTree(strictly.decode(ByteBuffer.wrap(bytes(vector.get("value")))).toString());
            if (event.isMissingNode()) return "no JSON";
            return schema.validate(event).isEmpty() ? "accepted" : "refused";
        } catch (java.io.IOException notJson) {
            return "no JSON";
        }
    }

    public static void main(String[] files) throws Exception {
        var dialect = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        var schema = dialect.getSchema(JSON.readTree(Files.readString(Path.of(files[0]))));
        var out = new PrintStream(System.out, true, UTF_8);
        for (var file : Arrays.copyOfRange(files, 1, files.length))
            for (var line : Files.readAllLines(Path.of(file))) {
                var vector = JSON.readTree(line);
                out.println(JSON.writeValueAsString(List.of(vector.get("name").textValue(), verdict(schema, vector))));
            }
    }
}
