package desktest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
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

const (
	crowdSeeds = 6
	crowdHands = 4  // people at work at the same time
	crowdSteps = 30 // what each of them does
)

// Several people work on the same tickets at once, while mail comes and goes. In the end everything that
// was answered with success is there once, and what is kept in two ways agrees (7, 11.14).
func TestWhatManyDoAtOnceIsThereOnce(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		first, seeds := k.seeds(crowdSeeds)
		for seed := first; seed < first+seeds; seed++ {
			t.Run(fmt.Sprint(k.name, " seed ", seed), func(t *testing.T) {
				t.Parallel()
				c := &crowd{model: newModel(t, k.open(t), uint64(seed)), looking: make(map[inbox.ID]*sync.Mutex)}
				for _, in := range c.ref.inboxes {
					c.looking[in.id] = new(sync.Mutex)
				}
				for i := range 6 {
					c.arrive(rand.New(rand.NewPCG(uint64(seed), 1)), c.ref.inboxes[i%3])
				}
				var hands sync.WaitGroup
				for hand := range crowdHands {
					hands.Go(func() {
						r := rand.New(rand.NewPCG(uint64(seed), uint64(hand)+2))
						for range crowdSteps {
							c.advance(time.Second)
							c.do(r)
						}
					})
				}
				hands.Wait()
				c.settle()
				c.requireAgreement()
			})
		}
	}
}

// stranger is nobody's client.
const stranger = "eve@private.org"

// crowd works on the inboxes of a model, of which it knows no more than that they are there.
type crowd struct {
	*model

	mu     sync.Mutex
	given  int       // words
	noted  []string  // words of notes
	sent   []string  // entries of what was written to clients
	came   []refMail // and from them
	purged bool

	looking map[inbox.ID]*sync.Mutex
}

// do is one thing that somebody does. Rights are not looked at: what is refused is done by nobody.
func (c *crowd) do(r *rand.Rand) {
	ctx, who := c.t.Context(), c.actor(one(r, modelPeople))
	if r.IntN(3) > 0 { // who may do nearly everything
		who = c.actor(one(r, []acl.UserID{"carl", "rita"}))
	}
	in := one(r, c.ref.inboxes)
	all := c.live()
	if len(all) == 0 {
		return
	}
	at, other := one(r, all), one(r, all)
	var err error
	switch r.IntN(22) {
	case 0, 1, 2:
		word := c.newWord()
		if _, err = c.svc.Note(ctx, who, at.ID, word); err == nil {
			c.keep(&c.noted, word)
		}
	case 3, 4:
		e := ticket.Edit{AddTags: []string{one(r, []string{"vip", "bug"})}, Priority: new(one(r, []string{"high", "low"}))}
		if r.IntN(2) == 0 {
			e.Assignee = new(one(r, []acl.UserID{"carl", "rita", "zoe", ""}))
		}
		_, err = c.svc.Edit(ctx, who, at.ID, e)
	case 5:
		_, err = c.svc.SetStatus(ctx, who, at.ID, one(r, []ticket.Status{ticket.Active, ticket.Solved, ticket.Waiting}))
	case 6, 7:
		reply := ticket.Reply{Text: c.newWord(), NoQuote: true}
		if r.IntN(2) == 0 {
			reply.SendAt = c.clock().Add(10 * time.Second)
		}
		var e ticket.Entry
		if e, err = c.svc.Reply(ctx, who, at.ID, reply); err == nil {
			c.keep(&c.sent, string(e.ID))
		}
	case 8:
		_, err = c.svc.Dispatch(ctx, 0)
	case 9, 10:
		_, err = c.svc.Merge(ctx, who, at.ID, []ticket.ID{other.ID})
	case 11, 12:
		if mails := c.mailsOf(at.ID); len(mails) > 0 {
			_, err = c.svc.Split(ctx, who, at.ID, ticket.Split{Entry: one(r, mails), Later: r.IntN(2) == 0})
		}
	case 13:
		_, err = c.svc.Move(ctx, who, at.ID, ticket.Move{To: in.id, TakesMail: r.IntN(2) == 0})
		if now, e := c.store.Ticket(ctx, at.ID); e == nil && now.Inbox == in.id {
			err = nil // it is there, whoever was faster
		}
	case 14:
		_, err = c.svc.Delete(ctx, who, at.ID)
	case 15:
		_, err = c.svc.Restore(ctx, who, at.ID)
	case 16:
		if r.IntN(3) == 0 {
			c.mu.Lock()
			c.purged = true
			c.mu.Unlock()
			err = c.svc.Purge(ctx, who, at.ID)
		}
	case 17:
		if mails := c.mailsOf(at.ID); len(mails) > 0 {
			_, err = c.svc.Redact(ctx, who, at.ID, one(r, mails))
		}
	case 18:
		_, err = c.inboxes.Share(ctx, c.actor(in.creator), in.id, acl.Grant{User: one(r, []acl.UserID{"rita", "adam"}),
			Access: one(r, []acl.Access{acl.ReadAndReply, acl.ReadOnly})})
	case 19:
		c.looking[in.id].Lock() // of two who change rules at once the slower one may leave mail hidden
		_, err = c.inboxes.SetRules(ctx, c.actor(in.creator), in.id,
			filter.Rules{Mode: one(r, []filter.Mode{filter.All, filter.ClientAssociated})})
		c.looking[in.id].Unlock()
	case 20:
		word := c.newWord()
		d := ticket.Draft{Kind: ticket.EntryNoted, Text: word}
		if d, err = c.svc.SaveDraft(ctx, who, at.ID, d); err == nil {
			if _, _, err = c.svc.SendDraft(ctx, who, at.ID, d.Entry); err == nil {
				c.keep(&c.noted, word)
			}
		}
	default:
		c.arrive(r, in)
	}
	c.requireExpected(err)
}

func one[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (c *crowd) newWord() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given++
	return fmt.Sprintf("word%d", c.given)
}

func (c *crowd) keep(list *[]string, word string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*list = append(*list, word)
}

// arrive delivers a mail that begins a thread or answers in one, and lets it be collected.
func (c *crowd) arrive(r *rand.Rand, in *refInbox) {
	mail := refMail{word: c.newWord(), strange: r.IntN(4) == 0}
	mail.thread = "thread-" + mail.word
	var more []string
	c.mu.Lock()
	if len(c.came) > 0 && r.IntN(2) == 0 {
		before := one(r, c.came)
		mail.thread, more = before.thread, []string{"References: <" + before.rfcID() + ">"}
	}
	c.came = append(c.came, mail)
	c.mu.Unlock()
	from := "ann@acme.com"
	if mail.strange {
		from = stranger
	}
	account := c.accounts[in.id]
	account.Deliver(mailOf(from, account.Address(), mail.word, "Body", append(more, "Message-ID: <"+mail.rfcID()+">")...),
		fake.Delivery{Thread: inbox.ThreadID(mail.thread)})
	alone := c.looking[in.id] // one at a time looks at an inbox, as desk.Run does it
	alone.Lock()
	defer alone.Unlock()
	_, err := c.inboxes.Sync(c.t.Context(), in.id)
	c.requireExpected(err)
	_, err = c.svc.Collect(c.t.Context(), in.id)
	c.requireExpected(err)
}

// requireExpected fails on what is neither done nor refused for a reason a person understands.
func (c *crowd) requireExpected(err error) {
	for _, reason := range []error{acl.ErrDenied, storage.ErrNotFound, storage.ErrConflict, ticket.ErrMerged, ticket.ErrHidden,
		ticket.ErrSameTicket, ticket.ErrNothingLeft, ticket.ErrNotMail, ticket.ErrCannotAssign, ticket.ErrNothingToAnswer,
		ticket.ErrSending, ticket.ErrStaleThread, ticket.ErrEditConflict, inbox.ErrMustWait} {
		if errors.Is(err, reason) {
			return
		}
	}
	if err != nil {
		c.t.Errorf("%v", err)
	}
}

// stored are all tickets there are; live those that were not merged into another.
func (c *crowd) stored() (all []ticket.Ticket) {
	for _, trash := range []bool{false, true} {
		for t, err := range c.store.Tickets(c.t.Context(), ticket.Query{AllHidden: true, Deleted: trash, Merged: !trash}) {
			if err != nil {
				c.t.Errorf("tickets: %v", err)
				return nil
			}
			all = append(all, t)
		}
	}
	return all
}

func (c *crowd) live() []ticket.Ticket {
	return slices.DeleteFunc(c.stored(), func(t ticket.Ticket) bool { return t.MergedInto != "" })
}

func (c *crowd) entriesOf(q ticket.EntryQuery) (all []ticket.Entry) {
	for e, err := range c.store.Entries(c.t.Context(), q) {
		if err != nil {
			c.t.Errorf("entries: %v", err)
			return nil
		}
		all = append(all, e)
	}
	return all
}

func (c *crowd) mailsOf(id ticket.ID) (mails []ticket.EntryID) {
	for _, e := range c.entriesOf(ticket.EntryQuery{Ticket: id}) {
		if e.Message != "" {
			mails = append(mails, e.ID)
		}
	}
	return mails
}

// settle shows all mail, sends what waits, and lets all of it come back.
func (c *crowd) settle() {
	ctx := c.t.Context()
	for range 4 {
		for _, in := range c.ref.inboxes {
			_, err := c.inboxes.SetRules(ctx, c.actor(in.creator), in.id, filter.Rules{Mode: filter.All})
			require.NoError(c.t, err)
			c.pull(in.id)
		}
		c.advance(time.Hour)
		_, err := c.svc.Dispatch(ctx, 0)
		require.NoError(c.t, err)
		_, err = c.svc.PurgeTrash(ctx) // ends what was begun
		require.NoError(c.t, err)
	}
}
