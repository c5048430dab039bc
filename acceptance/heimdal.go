package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// HeimdalRequirements returns nil if StartHeimdal can run a KDC on this machine. Otherwise
// its error is one line with what is missing and how to get it.
func HeimdalRequirements() error {
	_, err := findHeimdal()
	if kdc := KDCRequirements(); err == nil {
		err = kdc // its tools are used as well
	}
	return err
}

// findHeimdal finds Heimdal's commands. Debian's package excludes MIT's, so they may be
// unpacked in the cache.
func findHeimdal() (tools map[string]string, err error) {
	roots := []string{"/"}
	if dir, err := CacheDir(); err == nil {
		roots = append(roots, filepath.Join(dir, "heimdal"))
	}
	for _, root := range roots {
		tools = map[string]string{
			"kdc":    filepath.Join(root, "usr/lib/heimdal-servers/kdc"),
			"kadmin": filepath.Join(root, "usr/bin/kadmin.heimdal"),
		}
		libraries, _ := filepath.Glob(filepath.Join(root, "usr/lib/*/libkdc.so.2")) // the pattern is valid
		if _, err = exec.LookPath(tools["kdc"]); err == nil && len(libraries) > 0 {
			tools["libraries"] = filepath.Dir(libraries[0])
			return tools, nil
		}
	}
	return nil, errors.New("acceptance: no Heimdal KDC (Debian: heimdal-kdc, which .ci/heimdal unpacks beside MIT's)")
}

// StartHeimdal starts Heimdal's KDC, with the realm and the principals of StartKDC, and as
// that does. Admin is MIT's and not for it.
func StartHeimdal(ctx context.Context) (*KDC, error) {
	heimdal, err := findHeimdal()
	if err != nil {
		return nil, err
	}
	tools, err := findKDC()
	if err != nil {
		return nil, fmt.Errorf("acceptance: %w", err)
	}
	for name, path := range heimdal {
		tools[name] = path
	}
	return startKDC(tools, []string{Realm}, "a Heimdal KDC", func(k *KDC) error { return k.startHeimdal(ctx) })
}

func (k *KDC) startHeimdal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	if err := k.configure(); err != nil {
		return err
	}
	conf := k.Path("heimdal.conf")
	fill := strings.NewReplacer("{dir}", k.dir, "{realm}", Realm)
	if err := os.WriteFile(conf, []byte(fill.Replace(heimdalConf)), 0o600); err != nil {
		return err
	}
	service := ServiceName + "/" + ServiceHost
	for _, command := range [][]string{
		{"init", "--realm-max-ticket-life=unlimited", "--realm-max-renewable-life=unlimited", Realm},
		{"add", "--random-key", "--use-defaults", service},
		{"ext_keytab", "-k", "FILE:" + k.brokerKeytab(), service},
		{"add", "--password=" + KerberosPassword, "--use-defaults", KerberosUser},
		{"ext_keytab", "-k", "FILE:" + k.UserKeytab(), KerberosUser},
	} {
		args := append([]string{"-l", "-c", conf, "-r", Realm}, command...)
		if err := k.Run(ctx, "", "kadmin", args...); err != nil {
			return err
		}
	}
	return k.serve(ctx, "KDC started", "kdc", "--config-file="+conf, "--addresses=127.0.0.1",
		fmt.Sprintf("--ports=%d/tcp", k.port))
}

const heimdalConf = `[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
[kdc]
  database = {
    dbname = {dir}/heimdal
    realm = {realm}
    mkey_file = {dir}/heimdal.key
    acl_file = {dir}/kadm5.acl
    log_file = {dir}/heimdal.log
  }
[logging]
  kdc = FILE:{dir}/kdc.log
`
