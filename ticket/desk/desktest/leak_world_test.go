package desktest_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
	"github.com/workinbox/workinbox/ticket/desk"
)

const elsewhere inbox.SiteID = "site-2"

// Who may view the mail of which inbox, by 8.1 and 8.2, and who manages it.
var (
	viewersOfA  = []string{"olga", "carl", "ina", "ira", "rob", "rita", "pat"}
	managersOfA = []string{"olga", "carl", "ina", "ira"}
	viewersOfB  = []string{"olga", "dora", "carl", "zoe"}
	viewersOfT  = []string{"olga", "adam", "eva"} // a team inbox: site admins too
	ofTheSite   = []string{"olga", "adam", "carl", "dora", "eva", "ina", "ira", "rob", "rita", "pat", "zoe", "nate"}
)

// leakWorld is full of words that some people may see and others may not.
type leakWorld struct {
	*world
	people  []string // who asks
	log     *lockedBuffer
	notices *noticeText
	task    ticket.TaskID
	file    ticket.DraftFileID
	draft   ticket.Draft // the one with that file

	a, b, team, far, trash inbox.ID

	// secrets has the people who may see a word, by the word.
	secrets   map[string][]string
	ids       leakIDs
	successes int            // calls that ended without an error
	gone      map[string]int // how many mails had left an account when last asked
}

// people are everybody who asks, those with the fewest rights first: nobody; people of another site,
// one of them with the name of a creator here; a customer; people who left, were not let in yet, or have no
// grant; a site admin; and those with access, up to the creators and the owner.
var people = []string{"nobody", "carl@2", "fred@2", "cleo", "gus", "pia", "nate", "eva", "adam",
	"zoe", "rob", "pat", "rita", "ina", "ira", "dora", "olga", "carl"}

func (w *leakWorld) actor(who string) acl.Actor {
	w.t.Helper()
	if who == "nobody" {
		return acl.Actor{}
	}
	if name, ok := strings.CutSuffix(who, "@2"); ok {
		return w.person(acl.UserID(name), elsewhere)
	}
	return w.person(acl.UserID(who), site)
}

func newLeakWorld(t *testing.T, k kind) *leakWorld {
	t.Helper()
	w := &leakWorld{people: people, log: &lockedBuffer{}, notices: &noticeText{got: make(map[string]string)},
		secrets: make(map[string][]string), gone: make(map[string]int)}
	if k.brief {
		w.people = []string{"carl@2", "zoe", "rob", "carl"}
	}
	w.world = newWorld(t, k.open(t), func(c *desk.Config) {
		c.Notifier, c.Inbox.SiteNotifier = w.notices, w.notices
		c.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	})
	w.peopleOfTheSites()
	w.fill()
	w.ids = w.everyID()
	w.sent()
	return w
}

// onEveryStore runs a test in a world on each store.
func onEveryStore(t *testing.T, test func(t *testing.T, w *leakWorld)) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, newLeakWorld(t, k))
		})
	}
}

func (w *leakWorld) peopleOfTheSites() {
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayEdit: true, AgentsMayDelete: true})
	w.host.SetSite(inbox.Settings{ID: elsewhere, AgentsMayEdit: true, AgentsMayDelete: true})
	for _, who := range people[1:] {
		p := inbox.Person{ID: acl.UserID(who), Site: site, Role: acl.Agent, State: acl.Active, Name: who}
		switch who {
		case "carl@2":
			p.ID, p.Site = "carl", elsewhere
		case "fred@2":
			p.ID, p.Site, p.Role = "fred", elsewhere, acl.Owner
		case "cleo":
			p.Role = "customer"
		case "gus":
			p.State = acl.Deactivated
		case "pia":
			p.State = acl.Pending
		case "adam":
			p.Role = acl.Admin
		case "olga":
			p.Role = acl.Owner
		case "pat":
			p.PartTime = true
		}
		w.host.AddPerson(p)
	}
}

// secret makes a word that only these people may see.
func (w *leakWorld) secret(word string, who ...string) string {
	w.secrets["zq"+word] = who
	return "zq" + word
}

// pass lets a minute pass.
func (w *leakWorld) pass() { w.advance(time.Minute) }

func (w *leakWorld) open(creator, name, address string, rules filter.Rules, grants ...acl.Grant) (inbox.ID, *fake.Account) {
	w.t.Helper()
	id, account := w.connect(w.actor(creator), name, address, rules, grants...)
	w.pass()
	return id, account
}

// fill makes the inboxes and what is in them.
func (w *leakWorld) fill() {
	_, err := w.desk.Inboxes.CreateCompany(w.t.Context(), w.actor("olga"), inbox.CompanyEdit{
		Name: "Acme", Domains: []string{"acme.example"}, Details: w.secret("companydetails", ofTheSite...)})
	require.NoError(w.t, err)
	_, err = w.desk.Inboxes.CreateCustomer(w.t.Context(), w.actor("olga"), inbox.CustomerEdit{
		Name: w.secret("byhand", ofTheSite...), Address: "hand@other.example"}) // R-CUS-07
	require.NoError(w.t, err)
	w.fillA()
	w.fillB()
	w.fillOthers()
	w.forwards()
	w.narrow()
	w.moves()
	w.begin()
	for _, id := range []inbox.ID{w.a, w.b, w.team, w.far} {
		w.pull(id)
	}
	w.pass()
	for {
		n, err := w.desk.Inboxes.Deliver(w.t.Context(), 500)
		require.NoError(w.t, err)
		if n == 0 {
			return
		}
	}
}

// fillA is carl's inbox.
func (w *leakWorld) fillA() {
	rules := filter.Rules{Automated: filter.On, Exclude: []filter.Exclusion{
		w.exclusion(w.secret("sharedexclusion", managersOfA...)+".example", false),
		w.exclusion(w.secret("personalexclusion", "carl")+".example", true)},
		Classes: map[filter.Class]filter.ClassPolicy{filter.AutoReply: filter.PolicyAcceptPrivate,
			filter.NoReply: filter.PolicyAcceptPrivate, filter.Bulk: filter.PolicyAcceptPrivate}}
	id, account := w.open("carl", w.secret("nameofa", viewersOfA...), "a@firm.example", rules,
		acl.Grant{User: "rita", Access: acl.ReadAndReply}, acl.Grant{User: "pat", Access: acl.ReadAndReply},
		acl.Grant{User: "gus", Access: acl.ReadAndReply}, acl.Grant{User: "pia", Access: acl.ReadAndReply},
		acl.Grant{User: "rob", Access: acl.ReadOnly}, acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true},
		acl.Grant{User: "ira", Access: acl.ReadAndReply, InboxAdmin: true})
	w.a = id
	_, err := w.desk.Inboxes.Edit(w.t.Context(), w.actor("carl"), id, inbox.Edit{Settings: &inbox.InboxSettings{
		MirrorDeletes: true, Signature: w.secret("signature", viewersOfA...)}})
	require.NoError(w.t, err)
	w.watch(id, viewersOfA)
	require.NoError(w.t, w.desk.Inboxes.WatchForSite(w.t.Context(), w.actor("carl"), id, inbox.SiteWatch{Events: everyEvent, Content: true}))

	account.Deliver(w.rich("plain", viewersOfA), fake.Delivery{ID: "plain"})
	account.Deliver(w.rich("gone", []string{"carl"}), fake.Delivery{ID: "gone"})
	account.Deliver(w.rich("trashed", viewersOfA), fake.Delivery{ID: "trashed"})
	account.Deliver(w.strange("hidden"), fake.Delivery{})
	account.Deliver(w.private("private"), fake.Delivery{})
	w.pass()
	both := append(slices.Clone(viewersOfA), "dora", "zoe") // it is forwarded to B, as carl sees it
	account.Deliver(mailOf("Mia <mia@acme.example>", "a@firm.example", "mixed "+w.secret("mixedsubject", both...),
		w.secret("mixedbody", both...), "Message-ID: <mixed@acme.example>"), fake.Delivery{Thread: "mixed"})
	w.pass()
	account.Deliver(mailOf("Uma <"+w.secret("mixedhiddenaddress", "carl")+"@private.example>", "a@firm.example",
		"aside "+w.secret("mixedhiddensubject", "carl"), w.secret("mixedhiddenbody", "carl"),
		"References: <mixed@acme.example>"), fake.Delivery{Thread: "mixed"})
	account.Deliver(mailOf("a@firm.example", "mia@acme.example", "own", w.secret("ownbody", both...),
		"References: <mixed@acme.example>", "Bcc: "+w.secret("ownbcc", "carl")+"@quiet.example"),
		fake.Delivery{Thread: "mixed", Sent: true})
	w.movable(account)
	w.pull(id)
	account.Remove("gone")
	w.workOnA()
}

// workOnA is what people do there: options, notes, replies with blind copies, and the trash.
func (w *leakWorld) workOnA() {
	ctx, s := w.t.Context(), w.desk.Tickets
	c, err := s.Catalog(ctx, w.actor("olga"))
	require.NoError(w.t, err)
	// An admin may save the catalog and so sees all of it.
	c.Fields = []ticket.Field{{Label: ticket.Label{Code: "size", Name: w.secret("fieldname", append([]string{"adam"}, viewersOfA...)...)},
		Kind: ticket.FieldText, Scope: ticket.Scope{Limited: true, Inboxes: []inbox.ID{w.a}}}}
	c.Tags = []ticket.Label{{Code: "vip", Name: w.secret("tagname", ofTheSite...)}}
	_, err = s.SaveCatalog(ctx, w.actor("olga"), c)
	require.NoError(w.t, err)

	plain := w.ticket("zqplainsubject")
	_, err = s.Edit(ctx, w.actor("rita"), plain, ticket.Edit{AddTags: []string{"vip"},
		Fields: map[string][]string{"size": {w.secret("fieldvalue", viewersOfA...)}}})
	require.NoError(w.t, err)
	_, err = s.Note(ctx, w.actor("rob"), plain, w.secret("note", viewersOfA...))
	require.NoError(w.t, err)
	_, err = s.Reply(ctx, w.actor("rita"), plain, ticket.Reply{Text: w.secret("replytext", viewersOfA...),
		Bcc: []rfc822.Address{{Address: w.secret("replybcc", "carl", "rita") + "@quiet.example"}}})
	require.NoError(w.t, err)
	_, err = s.Reply(ctx, w.actor("ira"), plain, ticket.Reply{Text: w.secret("queuedtext", viewersOfA...),
		Bcc:    []rfc822.Address{{Address: w.secret("queuedbcc", "carl", "ira") + "@quiet.example"}},
		SendAt: w.clock().Add(100 * 24 * time.Hour)})
	require.NoError(w.t, err)
	w.mail.Account("a@firm.example").FailSendBefore()
	_, err = s.Reply(ctx, w.actor("rita"), plain, ticket.Reply{Text: w.secret("doubtfultext", viewersOfA...),
		Bcc: []rfc822.Address{{Address: w.secret("doubtfulbcc", "carl", "rita") + "@quiet.example"}}})
	require.NoError(w.t, err)
	for range 15 { // nobody finds it, so that a person has to decide
		w.pass()
		_, err = s.Dispatch(ctx, 0)
		require.NoError(w.t, err)
	}
	_, err = s.Note(ctx, w.actor("carl"), w.ticket("zqhiddensubject"), w.secret("hiddennote", "carl"))
	require.NoError(w.t, err)
	require.NoError(w.t, s.Visit(ctx, w.actor("rita"), plain, ticket.Typing))

	trashed := w.ticket("zqtrashedsubject")
	_, err = s.Note(ctx, w.actor("rita"), trashed, w.secret("trashnote", managersOfA...)) // row 20
	require.NoError(w.t, err)
	_, err = s.Delete(ctx, w.actor("carl"), trashed)
	require.NoError(w.t, err)
	w.pull(w.a)
}

// fillB is dora's inbox, in which carl may reply.
func (w *leakWorld) fillB() {
	id, account := w.open("dora", w.secret("nameofb", viewersOfB...), "b@firm.example", filter.Rules{},
		acl.Grant{User: "carl", Access: acl.ReadAndReply}, acl.Grant{User: "zoe", Access: acl.ReadOnly})
	w.b = id
	w.watch(id, viewersOfB)
	account.Deliver(w.rich("ofb", viewersOfB), fake.Delivery{})
	w.pull(id)
}

// fillOthers are a team inbox, one of another site, and one in the trash.
func (w *leakWorld) fillOthers() {
	ctx, s := w.t.Context(), w.desk.Inboxes
	var account *fake.Account
	w.team, account = w.open("adam", w.secret("nameofteam", viewersOfT...), "team@firm.example", filter.Rules{},
		acl.Grant{User: "eva", Access: acl.ReadAndReply})
	in, err := w.store.Inbox(ctx, w.team)
	require.NoError(w.t, err)
	in.Kind = acl.Team
	_, err = w.store.UpdateInbox(ctx, in, nil)
	require.NoError(w.t, err)
	account.Deliver(w.rich("team", viewersOfT), fake.Delivery{})
	w.pull(w.team)

	w.far, account = w.open("fred@2", w.secret("nameoffar", "fred@2"), "far@else.example", filter.Rules{})
	account.Deliver(w.rich("far", []string{"fred@2"}), fake.Delivery{})
	w.pull(w.far)

	w.trash, account = w.open("carl", w.secret("nameoftrash", "carl", "olga", "ina"), "trash@firm.example", filter.Rules{},
		acl.Grant{User: "ina", Access: acl.ReadOnly, InboxAdmin: true}, acl.Grant{User: "rita", Access: acl.ReadAndReply})
	account.Deliver(w.rich("intrash", nil), fake.Delivery{})
	w.pull(w.trash)
	require.NoError(w.t, s.Delete(ctx, w.actor("carl"), w.trash))
	_, err = w.desk.Tickets.Collect(ctx, w.trash)
	require.NoError(w.t, err)
}

// narrow hides what is not of a client, from all but the creator (R-CHG-03).
func (w *leakWorld) narrow() {
	in, err := w.store.Inbox(w.t.Context(), w.a)
	require.NoError(w.t, err)
	rules, _ := in.Rules()
	rules.Mode = filter.ClientAssociated
	_, err = w.desk.Inboxes.SetRules(w.t.Context(), w.actor("carl"), w.a, rules)
	require.NoError(w.t, err)
}

// ticket returns the ticket with that word in its subject.
func (w *leakWorld) ticket(word string) ticket.ID {
	w.t.Helper()
	for t, err := range w.store.Tickets(w.t.Context(), ticket.Query{AllHidden: true}) {
		require.NoError(w.t, err)
		if strings.Contains(t.Subject, word) && !strings.HasPrefix(t.Subject, "Fwd") {
			return t.ID
		}
	}
	w.t.Fatalf("no ticket with %q in its subject", word)
	return ""
}

// watch lets everybody who may view the inbox, and the site, be told of everything.
func (w *leakWorld) watch(id inbox.ID, who []string) {
	w.t.Helper()
	for _, user := range who {
		require.NoError(w.t, w.desk.Inboxes.Watch(w.t.Context(), w.actor(user), id, inbox.Watch{Events: everyEvent}))
	}
}

var everyEvent = inbox.Events()

func (w *leakWorld) exclusion(text string, personal bool) filter.Exclusion {
	e, err := filter.ParseExclusion(text)
	require.NoError(w.t, err)
	e.Personal = personal
	return e
}
