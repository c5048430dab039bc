import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.network.ConnectionMode;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.ssl.SslFactory;

/**
 * Without arguments, prints the keys that the configurations of kafka-clients define: name,
 * type, default. With "broker", prints the names of what only brokers have, and with "ranges" the
 * least and the greatest whole number that a key takes. With "jaas", reads values of sasl.jaas.config, and
 * prints them with their options, or with "refused". With another
 * argument, reads lines of name and value, and prints them with what
 * kafka-clients makes of the value, or with "refused": the keys of TLS configure a client's
 * engine as well.
 */
public class Keys {
    public static void main(String[] args) throws Exception {
        var definitions = new TreeMap<String, ConfigDef>();
        var all = new TreeMap<String, ConfigKey>();
        for (var config : List.of(ProducerConfig.class, ConsumerConfig.class, AdminClientConfig.class)) {
            var field = config.getDeclaredField("CONFIG");
            field.setAccessible(true);
            var definition = (ConfigDef) field.get(null);
            for (var key : definition.configKeys().values()) {
                definitions.put(key.name, definition);
                all.put(key.name, key);
            }
        }
        if (args.length > 0 && args[0].equals("broker")) {
            var method = Class.forName("kafka.server.KafkaConfig").getDeclaredMethod("configDef");
            method.setAccessible(true);
            for (var name : new TreeSet<>(((ConfigDef) method.invoke(null)).names())) {
                if (!all.containsKey(name)) {
                    System.out.println(name);
                }
            }
            return;
        }
        if (args.length == 0) {
            for (var key : all.values()) {
                System.out.println(key.name + "\t" + key.type + "\t" + text(key, key.defaultValue));
            }
            return;
        }
        if (args[0].equals("ranges")) {
            for (var key : all.values()) {
                if (key.defaultValue instanceof Number start && !(start instanceof Double)) {
                    System.out.println(key.name + "\t" + limit(definitions.get(key.name), key, start, Long.MIN_VALUE)
                        + "\t" + limit(definitions.get(key.name), key, start, Long.MAX_VALUE));
                }
            }
            return;
        }
        if (args[0].equals("jaas")) {
            var entries = new BufferedReader(new InputStreamReader(System.in, UTF_8));
            var out = new PrintStream(System.out, true, UTF_8);
            for (String line; (line = entries.readLine()) != null; ) {
                out.println(line + "\t" + login(line));
            }
            return;
        }
        var in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            var pair = line.split("\t", 2);
            System.out.println(line + "\t" + made(definitions.get(pair[0]), all.get(pair[0]), pair[1]));
        }
    }

    static String login(String text) {
        try {
            Map<String, Object> given = Map.of(SaslConfigs.SASL_JAAS_CONFIG, new Password(text));
            var options = new TreeMap<String, String>();
            for (var entry : JaasContext.loadClientContext(given).configurationEntries().get(0).getOptions().entrySet()) {
                options.put(String.valueOf(entry.getKey()), (String) entry.getValue());
            }
            return "= " + options;
        } catch (IllegalArgumentException e) {
            return "refused";
        }
    }

    /** Returns the last number on the way to an end that is taken. */
    static BigInteger limit(ConfigDef definition, ConfigKey key, Number start, long end) {
        var step = BigInteger.valueOf(Long.signum(end));
        var taken = BigInteger.valueOf(start.longValue());
        var refused = BigInteger.valueOf(end).add(step);
        while (!taken.add(step).equals(refused)) {
            var middle = taken.add(refused).shiftRight(1);
            if (made(definition, key, middle.toString()).equals("refused")) {
                refused = middle;
            } else {
                taken = middle;
            }
        }
        return taken;
    }

    static String text(ConfigKey key, Object value) {
        if (value == null || ConfigDef.NO_DEFAULT_VALUE.equals(value)) {
            return "";
        }
        return ConfigDef.convertToString(value, key.type);
    }

    static String made(ConfigDef definition, ConfigKey key, String value) {
        Map<String, Object> given = new HashMap<>();
        given.put("bootstrap.servers", "localhost:9092");
        given.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        given.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        given.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        given.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        given.put(key.name, value);
        try {
            var config = new AbstractConfig(definition, given, false);
            if (key.name.startsWith("ssl.")) {
                var factory = new SslFactory(ConnectionMode.CLIENT);
                factory.configure(config.values());
                factory.createSslEngine("localhost", 9092);
            }
            return "= " + text(key, config.values().get(key.name));
        } catch (Exception e) {
            return "refused";
        }
    }
}
