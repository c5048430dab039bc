package simtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// member is what a user has: a member of a group, which keeps its share of the work. It looks for
// the coordinator, joins, and sends heartbeats; whatever fails, it begins again.
type member struct {
	group  string
	shares int // to be distributed
	config func(brokerIndex int) broker.Config
	any    *broker.Conn // which is asked for the coordinator

	coordinator *broker.Conn
	id          string
	generation  int32 // 0: not joined

	mu    sync.Mutex
	share []byte // the numbers of its parts; nil: not joined
}

func (m *member) Share() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.share)
}

func (m *member) has(share []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.share = share
}

// Run returns when ctx ends.
func (m *member) Run(ctx context.Context) {
	defer m.any.Close()
	defer m.forget()
	for ctx.Err() == nil {
		if err := m.turn(ctx); err != nil {
			m.forget()
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

func (m *member) forget() {
	if m.coordinator != nil {
		m.coordinator.Close()
	}
	m.coordinator, m.generation = nil, 0
	m.has(nil)
}

func (m *member) turn(ctx context.Context) error {
	if m.coordinator == nil {
		return m.find(ctx)
	}
	if m.generation == 0 {
		return m.join(ctx)
	}
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = m.group, m.id, m.generation
	resp, err := req.RequestWith(ctx, m.coordinator)
	if err == nil && resp.ErrorCode != 0 {
		m.generation = 0 // others join, or this member was away for too long
		m.has(nil)
	}
	return err
}

func (m *member) find(ctx context.Context) error {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey, req.CoordinatorKeys = m.group, []string{m.group}
	resp, err := req.RequestWith(ctx, m.any)
	if err != nil {
		return err
	}
	if len(resp.Coordinators) != 1 || resp.Coordinators[0].ErrorCode != 0 {
		return fmt.Errorf("no coordinator: %+v", resp.Coordinators)
	}
	m.coordinator, err = broker.NewConn(m.config(int(resp.Coordinators[0].NodeID)))
	return err
}

func (m *member) join(ctx context.Context) error {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.ProtocolType = m.group, m.id, "shares"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 10_000, 10_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "in turns"}}
	resp, err := req.RequestWith(ctx, m.coordinator)
	if err != nil {
		return err
	}
	if m.id = resp.MemberID; resp.ErrorCode != 0 { // also once to get a member id (KIP-394)
		if unknown := resp.ErrorCode == 25; unknown {
			m.id = ""
		}
		return nil
	}
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.MemberID, sync.Generation = m.group, m.id, resp.Generation
	sync.ProtocolType, sync.Protocol = &req.ProtocolType, &req.Protocols[0].Name
	if resp.LeaderID == m.id {
		sync.GroupAssignment = distribute(resp.Members, m.shares)
	}
	synced, err := sync.RequestWith(ctx, m.coordinator)
	if err != nil || synced.ErrorCode != 0 {
		return err
	}
	m.generation = resp.Generation
	m.has(synced.MemberAssignment)
	return nil
}

func distribute(members []kmsg.JoinGroupResponseMember, shares int) (list []kmsg.SyncGroupRequestGroupAssignment) {
	for i, to := range members {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID = to.MemberID
		for part := i; part < shares; part += len(members) {
			a.MemberAssignment = append(a.MemberAssignment, byte(part))
		}
		list = append(list, a)
	}
	return list
}
