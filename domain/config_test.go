package domain

import (
	"testing"

	"brokerconn/domain/release"
)

// A Config is complete: nothing here fills in a default or corrects a value.
func TestIncompleteConfigPanics(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no host":             func(c *Config) { c.Host = "" },
		"no port":             func(c *Config) { c.Port = 0 },
		"no codec":            func(c *Config) { c.Codec = nil },
		"a long client id":    func(c *Config) { c.ClientID = string(make([]byte, 1<<15)) },
		"no MaxInFlight":      func(c *Config) { c.MaxInFlight = 0 },
		"no MaxPendingBytes":  func(c *Config) { c.MaxPendingBytes = 0 },
		"no MaxFrameBytes":    func(c *Config) { c.MaxFrameBytes = 0 },
		"large MaxFrameBytes": func(c *Config) { c.MaxFrameBytes = 1<<31 - 4 },
		"no RequestTimeout":   func(c *Config) { c.RequestTimeout = 0 },
		"no SetupTimeout":     func(c *Config) { c.SetupTimeout = 0 },
		"VersionsTimeout":     func(c *Config) { c.VersionsTimeout = -1 },
		"IdleTimeout":         func(c *Config) { c.IdleTimeout = -1 },
		"PingInterval":        func(c *Config) { c.PingInterval = -1 },
		"no MaxThrottle":      func(c *Config) { c.MaxThrottle = 0 },
		"MaxHold":             func(c *Config) { c.MaxHold = -1 },
		"StallAfter":          func(c *Config) { c.StallAfter = -1 },
		"no BackoffBase":      func(c *Config) { c.BackoffBase = 0 },
		"small BackoffMax":    func(c *Config) { c.BackoffMax = c.BackoffBase - 1 },
		"an early release":    func(c *Config) { c.APIVersion = release.Release{Minor: 7} },
		"pings in an old one": func(c *Config) {
			c.APIVersion, c.PingInterval = release.Release{Minor: 9}, 1
		},
		"": func(*Config) {},
	} {
		c := Complete(Config{Host: "broker", Codec: noCodec{}})
		change(&c)
		func() {
			defer func() {
				if panicked := recover() != nil; panicked != (name != "") {
					t.Errorf("%s: got panic %v, want %v", name, panicked, name != "")
				}
			}()
			NewMachine(c)
		}()
	}
}

// TestConfigAtItsLimits: the documented limits are valid themselves.
func TestConfigAtItsLimits(t *testing.T) {
	least := Config{
		Host: "b", Port: 1, MaxInFlight: 1, MaxPendingBytes: 1, MaxFrameBytes: 1, RequestTimeout: 1, SetupTimeout: 1,
		MaxThrottle: 1, BackoffBase: 1, BackoffMax: 1, Codec: noCodec{}, APIVersion: release.Release{Minor: 8},
	}
	greatest := Complete(Config{Host: "b", Port: 1<<16 - 1, ClientID: string(make([]byte, 32767)),
		MaxFrameBytes: 1<<31 - 5, MaxHold: 1, VersionsTimeout: 1, IdleTimeout: 1, PingInterval: 1,
		StallAfter: 1, Codec: noCodec{}})
	for name, c := range map[string]Config{"least": least, "greatest": greatest} {
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s: got panic %v, want none", name, p)
				}
			}()
			NewMachine(c)
		}()
	}
}
