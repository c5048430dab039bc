package probe

import (
	"fmt"
	"runtime/debug"
	"strings"

	"brokerconn/application/broker"
)

// buildDocument is the answer of --version: broker.Version, and facts about the build.
type buildDocument struct {
	Version  string `json:"version"`
	Module   string `json:"module,omitempty"`   // version of the module by go install; empty: built in a checkout
	Commit   string `json:"commit,omitempty"`   // of the checkout; empty: built without its history
	Modified bool   `json:"modified,omitempty"` // the checkout had changes
	Go       string `json:"go,omitempty"`
}

func newBuildDocument(build *debug.BuildInfo, known bool) buildDocument {
	v := buildDocument{Version: broker.Version}
	if !known {
		return v
	}
	v.Go, v.Module = build.GoVersion, strings.TrimPrefix(build.Main.Version, "(devel)")
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// String returns one line without a newline: "kafkaprobe 0.1.0, commit 0123456789ab, modified, go1.26.8".
func (v buildDocument) String() string {
	text := name + " " + v.Version
	switch {
	case v.Commit != "":
		text += fmt.Sprintf(", commit %.12s", v.Commit)
	case v.Module != "":
		text += ", module " + v.Module
	}
	if v.Modified {
		text += ", modified"
	}
	if v.Go != "" {
		text += ", " + v.Go
	}
	return text
}
