package ticket_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/storage"
)

// rights are the tables that acl is held against as well: 8.1 with what a ticket's state takes away.
type rights struct {
	cells map[string]map[string]string // by action and column
	takes map[string]func(action string) bool
}

func readRights(t *testing.T) *rights {
	t.Helper()
	r := &rights{cells: make(map[string]map[string]string), takes: make(map[string]func(string) bool)}
	columns := []string{"OWN", "CRE", "IA+RR", "IA+RO", "RR", "RO", "ADM0", "AGT0"}
	for line := range tableLines(t, "matrix.txt") {
		fields := regexp.MustCompile(`\s*\|\s*`).Split(line, -1)
		if len(fields) != 2+len(columns) {
			continue
		}
		r.cells[fields[1]] = make(map[string]string)
		for i, c := range columns {
			r.cells[fields[1]][c] = fields[2+i]
		}
	}
	listed := make(map[string][]string)
	for line := range tableLines(t, "limits.txt") {
		f := strings.Fields(line)
		state, left := f[0], f[1] == "allows"
		listed[state] = append(listed[state], f[2:]...)
		r.takes[state] = func(action string) bool { return slices.Contains(listed[state], action) != left }
	}
	require.Greater(t, len(r.cells), 40, "rows of the matrix")
	for _, state := range []string{"locked", "archived", "deleted"} {
		require.Contains(t, r.takes, state)
	}
	return r
}

func tableLines(t *testing.T, name string) func(yield func(string) bool) {
	t.Helper()
	text, err := os.ReadFile("../acl/testdata/" + name)
	require.NoError(t, err)
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !yield(line) {
				return
			}
		}
	}
}

// player is a person as the matrix knows them: by role, and by the columns that add up for them.
type player struct {
	name    string
	user    acl.UserID
	role    acl.Role
	grant   acl.Grant // beside that of the columns
	columns []string
}

var players = []player{
	{"OWN", "olga", acl.Owner, acl.Grant{}, []string{"OWN"}},
	{"OWN who reads", "olga", acl.Owner, acl.Grant{Access: acl.ReadOnly}, []string{"OWN", "RO"}},
	{"OWN who replies", "olga", acl.Owner, acl.Grant{Access: acl.ReadAndReply}, []string{"OWN", "RR"}},
	{"OWN who is the creator", "carl", acl.Owner, acl.Grant{}, []string{"OWN", "CRE"}},
	{"CRE", "carl", acl.Agent, acl.Grant{}, []string{"CRE"}},
	{"IA+RR", "ivan", acl.Agent, acl.Grant{Access: acl.ReadAndReply, InboxAdmin: true}, []string{"IA+RR"}},
	{"IA+RO", "ina", acl.Agent, acl.Grant{}, []string{"IA+RO"}},
	{"RR", "rita", acl.Agent, acl.Grant{}, []string{"RR"}},
	{"RO", "rob", acl.Agent, acl.Grant{}, []string{"RO"}},
	{"RR of a site admin", "adam", acl.Admin, acl.Grant{Access: acl.ReadAndReply}, []string{"RR"}},
	{"RO of a site admin", "adam", acl.Admin, acl.Grant{Access: acl.ReadOnly}, []string{"RO"}},
	{"ADM0", "adam", acl.Admin, acl.Grant{}, nil},
	{"AGT0", "zoe", acl.Agent, acl.Grant{}, nil},
}

// circumstances decide the conditions of the matrix, and what state the tickets are in.
type circumstances struct {
	name                      string
	edit, remove, start       bool // c1, c2, c14
	ownerReplies              bool // c5
	paused, spent             bool // c6
	locked, archived, deleted bool
}

func (c *circumstances) state() string {
	switch {
	case c.deleted:
		return "deleted"
	case c.archived:
		return "archived"
	case c.locked:
		return "locked"
	}
	return ""
}

// allows says what the tables say of a deed.
func (r *rights) allows(p *player, c *circumstances, d *deed) bool {
	action := d.action
	if d.trash != "" && c.deleted {
		action = d.trash
	}
	if st := c.state(); st != "" && r.takes[st](action) {
		return false
	}
	return slices.ContainsFunc(p.columns, func(column string) bool { return r.holds(r.cells[action][column], action, p, c, d) })
}

func (r *rights) holds(cell, action string, p *player, c *circumstances, d *deed) bool {
	bypass := p.role != acl.Agent
	live := !c.paused && !(c.spent && d.sends)
	for _, condition := range strings.Fields(cell) {
		var is bool
		switch condition {
		case "Y":
			is = true
		case "c1":
			is = c.edit || bypass
		case "c2":
			is = c.remove || bypass
		case "c3":
			is = d.own && (c.edit || bypass)
		case "c5":
			is = (c.ownerReplies || p.grant.Access == acl.ReadAndReply) && r.holds(r.cells[action]["IA+RR"], action, p, c, d)
		case "c6":
			is = live
		case "c8", "c13": // who is added sees the inbox, and the readers of the other inbox this one
			is = true
		case "c14":
			is = live && c.start
		}
		if !is {
			return false
		}
	}
	return cell != ""
}

// Every row of 8.1 that is about tickets, for every kind of actor, by every method that does it: what
// the tables allow is done, and what they do not is refused and changes nothing. Who may not know of the
// inbox is told that there is nothing (R-ACL-07).
func TestEveryMethodKeepsTheMatrix(t *testing.T) { // 8.1, R-ACL-01 to R-ACL-07, R-ACL-09, R-ACL-10, 8.3 (0) (1) (2) (3) (6) (7)
	t.Parallel()
	table := readRights(t)
	for _, c := range []circumstances{
		{name: "all switches off"},
		{name: "c1 agents may edit", edit: true},
		{name: "c2 agents may delete", remove: true},
		{name: "c14 grantees may start", start: true},
		{name: "c5 the owner replies", ownerReplies: true},
		{name: "c6 the mailbox is paused", ownerReplies: true, start: true, paused: true},
		{name: "c6 the quota is spent", ownerReplies: true, start: true, spent: true},
		{name: "R-ACL-10 locked", edit: true, remove: true, ownerReplies: true, locked: true},
		{name: "R-ACL-10 archived", edit: true, remove: true, ownerReplies: true, archived: true},
		{name: "R-ACL-10 deleted", edit: true, remove: true, ownerReplies: true, deleted: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i := range players {
				p := &players[i]
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					table.hold(t, p, &c)
				})
			}
		})
	}
}

func (r *rights) hold(t *testing.T, p *player, c *circumstances) {
	scenes := newStage(t, p, c)
	for i := range deeds {
		d := &deeds[i]
		if !d.when.matches(c) {
			continue
		}
		require.Contains(t, r.cells, d.action, "an action of the matrix: %s", d.name)
		sc := scenes[i]
		before := sc.witness()
		err := d.do(sc)
		what := fmt.Sprintf("%s (%s) by %s", d.name, d.action, p.name)
		if r.allows(p, c, d) {
			require.NoError(t, err, what)
			continue
		}
		require.Error(t, err, what)
		switch {
		case d.refusal != nil:
			require.ErrorIs(t, err, d.refusal, what)
		case len(p.columns) == 0:
			require.ErrorIs(t, err, storage.ErrNotFound, what)
			require.NotErrorIs(t, err, acl.ErrDenied, what)
		default:
			require.ErrorIs(t, err, acl.ErrDenied, what)
			require.NotErrorIs(t, err, storage.ErrNotFound, what)
		}
		require.Equal(t, before, sc.witness(), "changed by the refused %s", what)
	}
}
