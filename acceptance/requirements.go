package acceptance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// java is the oldest Java of Kafka 4; older brokers run on it too.
const java = 17

// maven is the oldest Maven of the dependency plugin in fetch.go.
const maven = "3.6"

// toolTimeout is how long a tool may take to print its version.
const toolTimeout = time.Minute

var (
	// java -version says `openjdk version "17.0.15"`, and up to Java 8 "1.8.0_402".
	javaVersion  = regexp.MustCompile(`version "(?:1\.)?(\d+)`)
	mavenVersion = regexp.MustCompile(`Apache Maven (\d+\.\d+)`)
)

// Requirements returns nil if the newest release can be fetched and run on this machine.
// Otherwise its error is one line with every missing program and how to install it. It
// runs the tools for their versions, which takes about a second.
func Requirements() error {
	var missing []string
	for _, err := range []error{checkJava(), checkMaven()} {
		if err != nil {
			missing = append(missing, err.Error())
		}
	}
	if missing == nil {
		return nil
	}
	return errors.New("acceptance: " + strings.Join(missing, "; "))
}

func checkJava() error {
	need := fmt.Sprintf("Kafka %s needs Java %d or newer (Debian: apt-get install openjdk-%[2]d-jre-headless; "+
		"macOS: brew install openjdk@%[2]d; anywhere: https://adoptium.net), found through JAVA_HOME or PATH",
		Newest, java)
	command, err := FindJava()
	if err != nil {
		return fmt.Errorf("no java: %s", need)
	}
	out, err := ask(command, "-version")
	if err != nil {
		return fmt.Errorf("%s does not run (%w): %s", command, err, need)
	}
	found := javaVersion.FindStringSubmatch(out)
	if found == nil {
		return fmt.Errorf("%s prints no version: %s", command, need)
	}
	if major, _ := strconv.Atoi(found[1]); major < java {
		return fmt.Errorf("%s is Java %d: %s", command, major, need)
	}
	return nil
}

func checkMaven() error {
	const need = "the brokers' jars are fetched with Maven " + maven +
		" or newer (Debian: apt-get install maven; macOS: brew install maven; anywhere: https://maven.apache.org), " +
		"found through PATH"
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("no mvn: " + need)
	}
	out, err := ask(mvn, "--version")
	if err != nil {
		return fmt.Errorf("%s does not run (%w): %s", mvn, err, need)
	}
	found := mavenVersion.FindStringSubmatch(out)
	if found == nil {
		return fmt.Errorf("%s prints no version: %s", mvn, need)
	}
	if compareMinor(found[1], maven) < 0 {
		return fmt.Errorf("%s is Maven %s: %s", mvn, found[1], need)
	}
	return nil
}

// KDCRequirements returns nil if StartKDC can run a KDC on this machine. Otherwise its
// error is one line with the missing programs and how to install them.
func KDCRequirements() error {
	if _, err := findKDC(); err != nil {
		return fmt.Errorf("acceptance: %w", err)
	}
	return nil
}

// findKDC finds the commands of MIT Kerberos. Debian keeps some where only root
// looks.
func findKDC() (tools map[string]string, err error) {
	var missing []string
	tools = map[string]string{}
	for _, name := range []string{"krb5kdc", "kdb5_util", "kadmin.local", "kinit"} {
		path, err := exec.LookPath(name)
		if err != nil {
			path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
		}
		if err != nil {
			missing = append(missing, name)
		}
		tools[name] = path
	}
	if missing != nil {
		return tools, fmt.Errorf("no %s: a KDC is MIT Kerberos's (Debian: apt-get install krb5-kdc "+
			"krb5-admin-server krb5-user), found through PATH",
			strings.Join(missing, ", "))
	}
	return tools, nil
}

// FindJava returns the path of the java command. JAVA_HOME wins, as it does for Maven.
func FindJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return exec.LookPath(filepath.Join(home, "bin", "java"))
	}
	return exec.LookPath("java")
}

// ask runs a tool that prints something and ends.
func ask(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := run(ctx, cmd)
	return out.String(), err
}

// compareMinor compares versions of two numbers, "3.10" with "3.6".
func compareMinor(a, b string) int {
	aMajor, aMinor, _ := strings.Cut(a, ".")
	bMajor, bMinor, _ := strings.Cut(b, ".")
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	return cmp.Or(cmp.Compare(number(aMajor), number(bMajor)), cmp.Compare(number(aMinor), number(bMinor)))
}
