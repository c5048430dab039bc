package domain_test

import (
	"encoding/hex"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// FuzzMachineBytes lets a peer say anything, in every state, in pieces of any
// size: nothing panics, each request is done exactly once, and what is left is
// either down or as the rig wants it.
func FuzzMachineBytes(f *testing.F) {
	for _, seed := range []struct {
		phase byte
		chunk byte
		bytes string
	}{
		{3, 255, "000000"}, {3, 1, "HTTP/1.1 400 Bad Request\r\n"}, {3, 3, "\x15\x03\x03\x00\x02\x02\x46"},
		{3, 2, "SSH-2.0-x\r\n"}, {3, 255, "\xff\xff\xff\xff"}, {3, 255, "\x00\x10\x00\x00\x00\x00\x00\x01"},
		{3, 7, string(frame(1, tableBody(0, 4, standardTable)))},
		{3, 9, string(frame(1, tableBody(35, 0, "18:0..3"))) + string(frame(2, tableBody(35, 0, "")))},
		{4, 255, string(frame(2, []byte("33 GSSAPI")))}, {4, 5, string(frame(3, []byte("58|no|")))},
		{5, 255, string(frame(2, []byte("answer 2"))) + string(frame(3, nil)) + string(frame(9, nil))},
		{5, 4, "\x00\x00\x80\x00\x00\x00\x00\x02"}, {1, 1, "early"}, {6, 1, "late"},
	} {
		f.Add(seed.phase, seed.chunk, []byte(seed.bytes))
	}
	f.Fuzz(func(t *testing.T, phase, chunk byte, data []byte) {
		to := states[int(phase)%len(states)]
		r := newHarness(t, to == domain.Authenticating, 3, nil)
		r.up(min(to, domain.Connected))
		if to == domain.Closed {
			r.do(func() { r.m.Close(r.now, nil, true) })
		}
		r.send(6, false, 0)
		r.send(6, true, 0)
		r.send(6, false, 0)
		r.drain()
		r.written(1 << 30)
		r.soiled = true
		for len(data) > 0 {
			n := min(len(data), 1+int(chunk))
			p := data[:n]
			data = data[n:]
			if r.link == 0 || r.stage != ports.StageEstablished {
				copied := copy(r.m.Space(), p)
				r.do(func() { r.m.HandleRead(r.now, r.m.Epoch(), copied) })
			}
			r.bytes(p)
			r.drain()
			r.written(1 << 30)
		}
		r.timeout(time.Minute)
		r.drain()
		r.written(1 << 30)
		r.drain()
		if s := r.m.State(); s.SettingUp() {
			t.Fatalf("still %v after a minute", s)
		}
		r.finish()
	})
}

// FuzzNewVersions feeds any table of API versions: the rows that can be used are taken and
// looked up truly, the others are reported, and a table without any is refused.
func FuzzNewVersions(f *testing.F) {
	for _, seed := range []string{"", "000300000002", "001200000004" + "000300000002",
		"000300020000", "ffff00000001", "0003ffff0001", "000300000001000300000002"} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var table []ports.APIRange
		for ; len(data) >= 6; data = data[6:] {
			table = append(table, ports.APIRange{
				Key: int16(data[0])<<8 | int16(data[1]), Min: int16(data[2])<<8 | int16(data[3]),
				Max: int16(data[4])<<8 | int16(data[5]),
			})
		}
		rows, have, left := map[int16]int{}, map[int16]ports.APIRange{}, 0
		for _, a := range table {
			rows[a.Key]++
		}
		for _, a := range table {
			if rows[a.Key] > 1 || a.Key < 0 || a.Min < 0 || a.Max < a.Min {
				left++
			} else {
				have[a.Key] = a
			}
		}
		sound := len(have) > 0
		v, err := domain.NewVersions(&ports.APIVersionsResponse{Ranges: table}, 4)
		if (err == nil) != sound {
			t.Fatalf("%v: %v", table, err)
		}
		if err != nil {
			return
		}
		if _, listed := have[18]; !listed {
			have[18] = ports.APIRange{Key: 18, Max: 4} // it was answered
		}
		for key := range int16(100) {
			lo, hi, ok := v.Range(key)
			if a, has := have[key]; ok != has || ok && (lo != a.Min || hi != a.Max) {
				t.Fatalf("key %d: %d to %d, %v; table %v", key, lo, hi, ok, table)
			}
			for _, ours := range []ports.Traits{{MinVersion: 0, MaxVersion: 3}, {MinVersion: 4, MaxVersion: 9}} {
				version, err := v.Choose(key, ours)
				a, has := have[key]
				want := min(a.Max, ours.MaxVersion)
				common := has && want >= max(a.Min, ours.MinVersion)
				if key == 18 && ours.MinVersion <= 4 && ours.MaxVersion >= 4 {
					want, common = 4, true
				}
				if (err == nil) != common || common && version != want {
					t.Fatalf("key %d, theirs %v, ours %v: v%d, %v", key, a, ours, version, err)
				}
			}
		}
		ranges := v.Ranges()
		if len(ranges) != len(have) || len(v.LeftOut()) != left {
			t.Fatalf("%d ranges of %d, %d left out, want %d", len(ranges), len(have), len(v.LeftOut()), left)
		}
		clear(ranges) // a copy
		domain.Identify(v)
		if len(v.Ranges()) > 0 && v.Ranges()[0] != have[v.Ranges()[0].Key] {
			t.Fatal("Ranges hands out its own memory")
		}
	})
}
