package desktest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// modelSteps is how many actions one seed does; modelSeeds how many seeds there are, unless
// WORKINBOX_MODEL_SEEDS says so. WORKINBOX_MODEL_SEED runs that one alone.
const (
	modelSteps = 200
	modelSeeds = 10
	// modelRests is how many actions there are from one look to the next where it is to be brief.
	modelRests = 15
	// modelTickets is how many tickets there are at most, but for those that late mail opens.
	modelTickets = 20
)

// Random people do random things to tickets in three inboxes of a site. After each of them, or on
// a slow store after some, everything everybody sees is what the reference says, which knows the rules
// and nothing of the code. A failure prints the script that leads to it.
func TestRandomActionsLookAsTheReferenceSays(t *testing.T) { // 7, 8.1, R-STA-08, R-INB-11, R-CHG-03, R-MSG-06
	t.Parallel()
	for _, k := range kinds() {
		first, seeds := k.seeds(modelSeeds)
		every := 1
		if k.brief {
			every = modelRests
		}
		for seed := first; seed < first+seeds; seed++ {
			t.Run(fmt.Sprint(k.name, " seed ", seed), func(t *testing.T) {
				t.Parallel()
				m := newModel(t, k.open(t), uint64(seed))
				defer func() {
					if t.Failed() {
						t.Logf("WORKINBOX_MODEL_SEED=%d\n%s", seed, strings.Join(m.script, "\n"))
					}
				}()
				for n := range modelSteps {
					if m.step(); n%every == every-1 {
						m.check()
					}
				}
			})
		}
	}
}

// model is the world, the reference it is compared with, and what was done.
type model struct {
	*world
	inboxes  *inbox.Service
	svc      *ticket.Service
	ref      *reference
	rand     *rand.Rand
	accounts map[inbox.ID]*fake.Account
	script   []string
	words    []string
	threads  int
	delayed  int        // replies that were to leave later
	at       *refTicket // what people are busy with
}

var modelPeople = []acl.UserID{"olga", "carl", "rita", "rob", "ina", "adam", "zoe"}

func newModel(t *testing.T, store backend, seed uint64) *model {
	t.Helper()
	m := &model{world: newWorld(t, store), rand: rand.New(rand.NewPCG(seed, 1)), accounts: make(map[inbox.ID]*fake.Account)}
	m.inboxes, m.svc = m.desk.Inboxes, m.desk.Tickets
	m.ref = &reference{mayDelete: seed%2 == 0, mayEdit: seed%3 != 0, roles: make(map[acl.UserID]acl.Role)}
	m.ref.keepStatus = seed%5 == 0
	m.host.SetSite(inbox.Settings{ID: site, AgentsMayDelete: m.ref.mayDelete, AgentsMayEdit: m.ref.mayEdit,
		KeepStatusOnTasks: m.ref.keepStatus})
	m.tasks.SetReaders(site, teamTasks, teamReaders...)
	for _, user := range modelPeople {
		role := acl.Agent
		switch user {
		case "olga":
			role = acl.Owner
		case "adam":
			role = acl.Admin
		}
		m.ref.roles[user] = role
		m.host.AddPerson(modelPerson(user, role))
	}
	_, err := m.inboxes.CreateCompany(t.Context(), m.actor("olga"), inbox.CompanyEdit{Name: "Acme", Domains: []string{"acme.com"}})
	require.NoError(t, err)
	c, err := m.svc.Catalog(t.Context(), m.actor("olga"))
	require.NoError(t, err)
	c.Priorities = []ticket.Label{{Code: "high", Name: "High"}, {Code: "low", Name: "Low"}}
	c.Tags = []ticket.Label{{Code: "vip", Name: "VIP"}, {Code: "bug", Name: "Bug"}}
	_, err = m.svc.SaveCatalog(t.Context(), m.actor("olga"), c)
	require.NoError(t, err)
	m.connectFor("carl", "a@firm.example", acl.Grant{User: "rita", Access: acl.ReadAndReply},
		acl.Grant{User: "rob", Access: acl.ReadOnly}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true})
	m.connectFor("zoe", "b@firm.example", acl.Grant{User: "carl", Access: acl.ReadAndReply},
		acl.Grant{User: "rita", Access: acl.ReadAndReply, InboxAdmin: true})
	m.connectFor("rob", "c@firm.example", acl.Grant{User: "rita", Access: acl.ReadOnly})
	return m
}

func (m *model) connectFor(creator acl.UserID, address string, grants ...acl.Grant) {
	id, account := m.connect(m.actor(creator), "Mail", address, filter.Rules{}, grants...)
	m.accounts[id] = account
	in := &refInbox{id: id, creator: creator, grants: make(map[acl.UserID]acl.Grant)}
	for _, g := range grants {
		in.grants[g.User] = g
	}
	m.ref.inboxes = append(m.ref.inboxes, in)
}

func (m *model) actor(user acl.UserID) acl.Actor { return m.person(user, site) }

func pick[T any](m *model, list []T) T { return list[m.rand.IntN(len(list))] }

// step does one thing a minute later. It stays with a ticket for a while, so that things meet.
func (m *model) step() {
	m.pass(time.Minute)
	in := pick(m, m.ref.inboxes)
	if len(m.ref.tickets) == 0 || len(m.ref.tickets) < modelTickets/2 && m.rand.IntN(15) == 0 {
		m.mailNew(in)
		m.collectInbox(in)
		return
	}
	if m.at == nil || m.rand.IntN(12) == 0 {
		m.at = pick(m, m.ref.tickets)
	}
	if m.rand.IntN(2) == 0 {
		in = m.at.in
	}
	who := pick(m, modelPeople)
	if m.rand.IntN(2) == 0 {
		who = m.worker(m.at.in)
	}
	m.act(who, pick(m, modelPeople), m.at, in)
}

func (m *model) act(who, other acl.UserID, t *refTicket, in *refInbox) {
	if t.deleted && m.rand.IntN(3) == 0 {
		if m.rand.IntN(2) == 0 { // who has the rights where all of it lies
			who = t.box.creator
		}
		switch m.rand.IntN(6) {
		case 0, 1:
			m.purge(who, t)
		case 2:
			m.endTask(t)
		default:
			m.trash(who, t)
		}
		return
	}
	switch m.rand.IntN(64) {
	case 0, 1, 2, 3:
		m.mailInto(t)
	case 4, 5:
		m.collectInbox(in)
	case 6, 7, 8:
		m.reply(who, t)
	case 9:
		m.note(who, t)
	case 10, 11, 12:
		m.edit(who, t, other)
	case 13, 14:
		m.follow(who, t, other)
	case 15:
		m.unfollow(who, t, other)
	case 16:
		m.trash(who, t)
	case 17:
		m.forward(who, t, in)
	case 18, 19:
		m.share(who, in, other)
	case 20: // whoever has most to lose
		if t.assignee != "" {
			m.share(t.in.creator, t.in, t.assignee)
		}
	case 21:
		m.narrowOrWiden(in)
	case 22:
		m.reading(who, t)
	case 23:
		m.recall(who, t)
	case 24:
		m.pass(30 * time.Minute)
	case 25, 26:
		m.mergeSome(who, t)
	case 27, 28:
		if len(m.ref.tickets) < modelTickets {
			m.split(who, t, m.rand.IntN(2) == 0)
		}
	case 29, 30, 31:
		follows := m.rand.IntN(2) == 0
		if follows && m.rand.IntN(2) == 0 {
			who = t.box.creator
		}
		m.move(who, t, pick(m, m.ref.inboxes), follows)
	case 32, 33, 34:
		m.rewrite(who, t)
	case 35:
		m.pin(who, t)
	case 36, 37:
		m.redact(who, t)
	case 38:
		m.promote(other)
	case 39:
		m.note(who, t)
	case 40, 41, 42, 43, 44, 45, 46, 47:
		m.task(who, t)
	default:
		m.mailing(who, t, in)
	}
}

// say notes an action for the script.
func (m *model) say(format string, args ...any) {
	m.script = append(m.script, fmt.Sprintf("%s %3d: ", m.ref.now.Format("15:04"), len(m.script)+1)+fmt.Sprintf(format, args...))
}

// expect holds the answer to a request to what the reference says it comes to.
func (m *model) expect(want outcome, err error) {
	m.t.Helper()
	m.script[len(m.script)-1] += " -> " + string(want)
	denied, absent := errors.Is(err, acl.ErrDenied), errors.Is(err, storage.ErrNotFound)
	switch want {
	case done:
		require.NoError(m.t, err, m.script[len(m.script)-1])
	case notFound:
		require.ErrorIs(m.t, err, storage.ErrNotFound, m.script[len(m.script)-1])
	case refused:
		require.True(m.t, denied || absent, "%s: got %v", m.script[len(m.script)-1], err)
	case fails:
		require.Error(m.t, err, m.script[len(m.script)-1])
	case invalid:
		require.True(m.t, err != nil && !denied && !absent, "%s: got %v", m.script[len(m.script)-1], err)
	}
}

// word makes a word that stands in one place only.
func (m *model) word() string {
	m.words = append(m.words, fmt.Sprintf("word%d", len(m.words)+1))
	return m.words[len(m.words)-1]
}

func (m *model) mailNew(in *refInbox) {
	m.threads++
	m.deliverInto(in, fmt.Sprint("thread-", m.threads), "")
}

// mailInto puts a mail into a thread of the ticket: one that answers a mail of it, or tells of the thread
// alone.
func (m *model) mailInto(t *refTicket) {
	in, thread, refers := t.box, "", ""
	if e := m.mailOf(t); e != nil {
		if in, thread = e.box, e.thread; m.rand.IntN(2) == 0 {
			refers = e.rfcID
		}
	} else if len(t.threads) > 0 {
		thread = pick(m, t.threads)
	}
	if thread == "" {
		return
	}
	m.deliverInto(in, thread, refers)
	if m.rand.IntN(2) == 0 {
		m.collectInbox(in)
	}
}

// deliverInto puts a mail into the mailbox: of a client, of a stranger, of a machine, or the creator's own.
func (m *model) deliverInto(in *refInbox, thread, refers string) {
	mail := refMail{thread: thread, refers: refers, at: m.ref.now, word: m.word(), barred: in.narrow}
	account := m.accounts[in.id]
	from, to, d := "ann@acme.com", account.Address(), fake.Delivery{}
	more := []string{"Message-ID: <" + mail.rfcID() + ">"}
	if refers != "" {
		more = append(more, "References: <"+refers+">")
	}
	switch m.rand.IntN(8) {
	case 0:
		mail.machine = true
		more = append(more, "Auto-Submitted: auto-replied")
	case 1:
		mail.own, d.Sent = true, true
		from, to = to, from
	case 2, 3:
		mail.strange, from = true, stranger
	}
	m.say("mail from %s to %s in %s, answers %q: %s", from, to, thread, refers, mail.word)
	d.Thread = inbox.ThreadID(thread)
	account.Deliver(mailOf(from, to, mail.word, "Body of "+mail.word, more...), d)
	in.mails = append(in.mails, mail)
}

func (m *model) collectInbox(in *refInbox) {
	m.say("collect %s", in.id)
	run, err := m.inboxes.Sync(m.t.Context(), in.id)
	require.NoError(m.t, err)
	require.NoError(m.t, run.Balance())
	_, err = m.svc.Collect(m.t.Context(), in.id)
	require.NoError(m.t, err)
	in.synced = m.ref.now
	m.ref.collect(in)
	m.learn()
}

// learn gives the reference's new tickets the ids of those their mail has opened.
func (m *model) learn() {
	known := make(map[ticket.ID]bool)
	for _, t := range m.ref.tickets {
		known[t.id] = true
	}
	for _, t := range m.ref.tickets {
		if t.id != "" {
			continue
		}
		i := slices.IndexFunc(t.entries, func(e *refEntry) bool { return e.mail })
		t.id = m.entryOf(t.entries[i]).Ticket
		require.False(m.t, known[t.id], "%s opens no ticket but is in %s, %s", t.entries[i].rfcID, t.id, m.after())
		known[t.id] = true
	}
}

// worker is somebody who may work on the tickets of an inbox.
func (m *model) worker(in *refInbox) acl.UserID {
	var works []acl.UserID
	for _, who := range modelPeople {
		if in.works(who) {
			works = append(works, who)
		}
	}
	return pick(m, works)
}

// mergeSome merges one ticket or two into the one at hand.
func (m *model) mergeSome(who acl.UserID, t *refTicket) {
	var sources []*refTicket
	for range 1 + m.rand.IntN(2) {
		s := pick(m, m.ref.tickets)
		if m.rand.IntN(3) > 0 && !s.in.works(who) {
			continue
		}
		if s != t && !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	if len(sources) > 0 {
		m.merge(who, t, sources...)
	}
}

// narrowOrWiden changes what may enter. Tickets follow at once. Who lost access is taken off before.
func (m *model) narrowOrWiden(in *refInbox) {
	_, err := m.svc.Collect(m.t.Context(), in.id)
	require.NoError(m.t, err)
	m.ref.lower(in)
	mode := filter.ClientAssociated
	if in.narrow {
		mode = filter.All
	}
	m.say("%s sets %s to %s", in.creator, in.id, mode)
	_, err = m.inboxes.SetRules(m.t.Context(), m.actor(in.creator), in.id, filter.Rules{Mode: mode})
	m.expect(done, err)
	m.ref.veil(in, !in.narrow)
}

func (m *model) share(who acl.UserID, in *refInbox, with acl.UserID) {
	grant := pick(m, []acl.Grant{{Access: acl.ReadOnly}, {Access: acl.ReadAndReply}, {},
		{Access: acl.ReadOnly, InboxAdmin: true}, {Access: acl.ReadAndReply, InboxAdmin: true}})
	grant.User = with
	m.say("%s gives %s %q admin %v in %s", who, with, grant.Access, grant.InboxAdmin, in.id)
	var err error
	if grant.Access == acl.NoAccess {
		_, err = m.inboxes.Unshare(m.t.Context(), m.actor(who), in.id, with)
	} else {
		_, err = m.inboxes.Share(m.t.Context(), m.actor(who), in.id, grant)
	}
	switch {
	case !in.views(m.ref, who):
		m.expect(notFound, err)
	case !in.manages(m.ref, who), with == in.creator, with == who && m.ref.roles[who] != acl.Owner: // R-INB-10, R-ACL-11
		m.expect(refused, err)
	default:
		m.expect(done, err)
		in.grants[with] = grant
		in.touched = append(in.touched, with)
	}
}
