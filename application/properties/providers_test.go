package properties

import (
	"path/filepath"
	"strings"
	"testing"

	"brokerconn/ports/porttest"
)

const kafkaProviders = "config.providers=file,env\n" +
	"config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider\n" +
	"config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"

const plainLogin = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n" +
	"sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" "

func TestPlaceholdersOfJava(t *testing.T) {
	dir := filesOf(t, map[string][]byte{"secret.properties": []byte("pw=" + canary + "\nidle=7\n")})
	t.Setenv("KAFKA_USER", "me")
	for _, sources := range [][]string{
		{kafkaProviders + plainLogin + `password="${file:DIR/secret.properties:pw}";`},
		{plainLogin + `password="${file:DIR/secret.properties:pw}";`, kafkaProviders},
	} {
		s, err := readSources(t, Guess, dir, append(sources,
			"connections.max.idle.ms=${file:DIR/secret.properties:idle}", "client.id=${env:KAFKA_USER}-1")...)
		if err != nil || s.SASL.Login.Password.Reveal() != canary || s.Connection.ClientID != "me-1" ||
			s.Connection.IdleTimeout.Milliseconds() != 7 || len(s.Warnings()) != 0 {
			t.Errorf("got %v and %v, want the password of the file and the user of the environment", s, err)
		}
	}
}

// A placeholder that is not replaced is never sent, whatever the client would do.
func TestPlaceholdersAreNeverSent(t *testing.T) {
	dir := filesOf(t, map[string][]byte{"secret.properties": []byte("pw=x\nnested=${env:KAFKA_PASSWORD}\n"),
		"folder.properties": []byte(`pw=C:\keys`)})
	for _, c := range []struct{ text, key, problem string }{
		{kafkaProviders + plainLogin + `password="${file:DIR/secret.properties:nested}";`, "sasl.jaas.config",
			"has one itself"},
		{kafkaProviders + plainLogin + `password="${file:DIR/folder.properties:pw}";`, "sasl.jaas.config",
			"folder.properties:1: a backslash before a letter"},
		{plainLogin + `password="${file:DIR/secret.properties:pw}";`, "sasl.jaas.config",
			"config.providers.file.class"},
		{"config.providers=file\n" + plainLogin + `password="${file:DIR/secret.properties:pw}";`, "sasl.jaas.config",
			"config.providers.file.class is not given"},
		{kafkaProviders + plainLogin + `password="${file:DIR/secret.properties:none}";`, "sasl.jaas.config",
			`no key "none"`},
		{kafkaProviders + plainLogin + `password="${vault:secret/kafka:pw}";`, "sasl.jaas.config", "does not name"},
		{"config.providers=aws\nconfig.providers.aws.class=com.example.Secrets\n" + plainLogin +
			`password="${aws:secret/kafka:pw}";`, "sasl.jaas.config", "com.example.Secrets is a Java class"},
		{kafkaProviders + "security.protocol=${env:NO_SUCH_VARIABLE}", "security.protocol", "NO_SUCH_VARIABLE"},
		{"security.protocol=sasl_ssl\nsasl.mechanisms=PLAIN\nsasl.username=u\nsasl.password=${file:/f:canary-4711}",
			"sasl.password", "librdkafka would send it"},
		{"security_protocol=SASL_SSL\nsasl_mechanism=PLAIN\nsasl_plain_username=u\n" +
			"sasl_plain_password=${env:canary-4711}", "sasl_plain_password", "kafka-python would send it"},
	} {
		_, err := readSources(t, Guess, dir, c.text)
		wantProblem(t, err, c.key, c.problem)
	}
}

// An error about a value that came out of a placeholder does not show it: the placeholder
// may name the wrong line of a file of secrets.
func TestReplacedValuesAreNotShown(t *testing.T) {
	dir := filesOf(t, map[string][]byte{"secret.properties": []byte("pw=" + canary + "\nlong=" + canary +
		strings.Repeat("x", 300) + "\nserver=" + canary + ":x:y\n")})
	for _, line := range []string{"request.timeout.ms", "bootstrap.servers", "security.protocol", "client.dns.lookup",
		"ssl.truststore.location", "ssl.enabled.protocols", "ssl.cipher.suites", "sasl.mechanism", "client.id",
		"ssl.endpoint.identification.algorithm", "sasl.oauthbearer.token.endpoint.url", "sasl.kerberos.service.name",
		"ssl.keystore.type", "sasl.jaas.config", "max.in.flight.requests.per.connection"} {
		for _, key := range []string{"pw", "long", "server"} {
			for _, base := range []string{"", "security.protocol=SSL\n", plainLogin + "password=x;\n"} {
				if strings.Contains(base, line) {
					continue
				}
				s, err := readSources(t, Java, dir, kafkaProviders+base+line+"=${file:DIR/secret.properties:"+key+"}")
				if err == nil {
					_, err = s.Config()
				}
				if err != nil {
					porttest.NoSecrets(t, line+" "+key, err, canary)
				}
			}
		}
	}
}

// What only looks like a placeholder is a value, with a warning that does not show it.
func TestVariablesOfShellsAreWarnings(t *testing.T) {
	for _, value := range []string{"${KAFKA_PASSWORD}", "{{ .Values.canary }}", "a${b.canary-c}"} {
		s, err := Read(Librdkafka, Pairs(map[string]string{"security.protocol": "sasl_ssl", "sasl.mechanisms": "PLAIN",
			"sasl.username": "u", "sasl.password": value}))
		if err != nil || s.SASL.Login.Password.Reveal() != value {
			t.Errorf("%s: got %v, want the value as it is", value, err)
			continue
		}
		if all := strings.Join(s.Warnings(), "; "); !strings.Contains(all, "sasl.password: it has a placeholder") ||
			strings.Contains(all, "canary") {
			t.Errorf("%s: got %q, want a warning without the value", value, all)
		}
	}
	for _, value := range []string{"pa$$word", "${", "{x}", "${a:b}"} {
		s, err := Read(Librdkafka, Pairs(map[string]string{"client.id": value}))
		if err != nil || len(s.Warnings()) != 0 || s.Connection.ClientID != value {
			t.Errorf("%s: got %v, want a value like others", value, err)
		}
	}
}

// Spaces at the end of a value belong to a password that is put between quotes: AbstractConfig
// of kafka-clients 4.4.0 has them too.
func TestPlaceholdersKeepSpaces(t *testing.T) {
	dir := filesOf(t, map[string][]byte{"secret.properties": []byte("pw = " + canary + " \n")})
	s, err := readSources(t, Java, dir, kafkaProviders+plainLogin+`password="${file:DIR/secret.properties:pw}";`)
	if err != nil || s.SASL.Login.Password.Reveal() != canary+" " {
		t.Errorf("got %v and %v, want the password with its space", s, err)
	}
}

// An error shows the file of a provider and none of its values.
func TestPlaceholderOfABrokenFile(t *testing.T) {
	dir := filesOf(t, map[string][]byte{"bad.properties": []byte("pw=" + canary + "\xff\n")})
	_, err := readSources(t, Java, filepath.ToSlash(dir), kafkaProviders+"client.id=${file:DIR/bad.properties:pw}")
	wantProblem(t, err, "client.id", "not UTF-8")
}
