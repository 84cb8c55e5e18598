package inbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// Config is what a Service is made of. Store, Vault, Blobs, People, Sites and at least one provider
// are required; every other zero field has the default its comment says.
type Config struct {
	Store     Store
	Vault     Vault
	Blobs     Blobs
	People    People
	Sites     Sites
	Providers []provider.Provider

	// Notifier gets notices from Deliver. Nil: no person is told of anything.
	Notifier Notifier
	// SiteNotifier gets the notices that are for the site and not for one person, such as those of
	// its webhooks: only of inboxes whose creator allowed it (WatchForSite). Nil: none.
	SiteNotifier Notifier
	// Scanner reads every file of a mail before Part or package ticket hands out a byte of it. Raw and
	// Original, the whole mail as it came, are not scanned, nor is the text of View. Nil: nothing is.
	Scanner Scanner
	// Logger is told what is swallowed. Nil discards. Ids and codes only; nothing of a mail.
	Logger *slog.Logger
	// Meter counts and times. Nil discards.
	Meter Meter
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// NewID makes ids. Nil is the NewID of this package.
	NewID func() string
	// Limits bound the parsing of one message. Zero fields are rfc822's defaults.
	Limits rfc822.Limits
	// Strict keeps a first walk from handing over raw mail with the headers: no rejected body ever
	// passes through memory, at about twice the provider's price. False is frugal.
	Strict bool
	// InFlight is how many messages are opened at the same time. Zero is 10.
	InFlight int
	// Attempts is how often a message is tried before it becomes poison. Zero is 8.
	Attempts int
	// ConsentFor is how long an OAuth attempt may take. Zero is 10 minutes (R-CON-03).
	ConsentFor time.Duration
	// AuthServers names the authserv-id of each kind of provider, whose Authentication-Results are
	// trusted (R-FLT-11). Nil: mx.google.com for gmail; others have none.
	AuthServers map[provider.Kind]string
}

// Meter takes counts and timings; a leaf adapts it to a metrics library. Names are dotted, labels
// are codes. It is called often and must be cheap and safe for concurrent use.
type Meter interface {
	Count(name string, n int, labels ...string)
	Time(name string, d time.Duration, labels ...string)
}

// Service connects mailboxes, decides what may enter, imports, shares, reads and sends. It is safe
// for concurrent use and starts nothing in the background.
type Service struct {
	Config
	providers map[provider.Kind]provider.Provider

	mu        sync.Mutex
	boxes     map[ID]*openMailbox
	snaps     map[SiteID]*snapshot
	followers []func(ctx context.Context, id ID) error
	withhold  []func(ctx context.Context, mails []MessageID) ([]MessageID, error)
}

// New checks the configuration and fills in the defaults.
func New(c Config) (*Service, error) {
	for _, need := range []struct {
		name string
		ok   bool
	}{
		{"Store", c.Store != nil}, {"Vault", c.Vault != nil}, {"Blobs", c.Blobs != nil},
		{"People", c.People != nil}, {"Sites", c.Sites != nil}, {"Providers", len(c.Providers) > 0},
	} {
		if !need.ok {
			return nil, fmt.Errorf("inbox: Config.%s is required", need.name)
		}
	}
	s := &Service{
		Config:    c.withDefaults(),
		providers: make(map[provider.Kind]provider.Provider),
		boxes:     make(map[ID]*openMailbox),
		snaps:     make(map[SiteID]*snapshot),
	}
	for i, p := range c.Providers {
		if p == nil {
			return nil, fmt.Errorf("inbox: Config.Providers[%d] is nil", i)
		}
		if _, twice := s.providers[p.Kind()]; twice {
			return nil, fmt.Errorf("inbox: two providers of kind %q", p.Kind())
		}
		s.providers[p.Kind()] = p
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Meter == nil {
		c.Meter = noMeter{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		now := c.Now
		c.NewID = func() string { return NewID(now()) }
	}
	if c.InFlight <= 0 {
		c.InFlight = 10
	}
	if c.Attempts <= 0 {
		c.Attempts = 8
	}
	if c.ConsentFor <= 0 {
		c.ConsentFor = 10 * time.Minute
	}
	c.Store, c.Vault = sureStore{c.Store}, sureVault{c.Vault}
	if c.AuthServers == nil {
		c.AuthServers = map[provider.Kind]string{"gmail": "mx.google.com"}
	}
	return c
}

// Follow has f called when a change of rules has hidden or shown stored mail of an inbox, or Disconnect has
// forgotten it, before that call returns: what is built on the mail follows at once and not at its next
// look. It is how package ticket keeps up; ticket.New calls it, and nothing takes f off again. An error is
// logged: the change stands, and the log of the inbox (Archive.Log) still tells of it.
func (s *Service) Follow(f func(ctx context.Context, id ID) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followers = append(s.followers, f)
}

func (s *Service) tellFollowers(ctx context.Context, id ID) {
	s.mu.Lock()
	followers := slices.Clone(s.followers)
	s.mu.Unlock()
	for _, f := range followers {
		if err := f(ctx, id); err != nil {
			s.Logger.WarnContext(ctx, "follow a change of stored mail", "inbox", id, "code", code(err))
		}
	}
}

// Withhold has f say which of some stored mails are shown to nobody any more: what erases them has begun and
// not ended. Whatever shows mail here, or tells of it in a notice, asks f, and shows nothing where f cannot
// answer. It is how package ticket keeps back what is being redacted; ticket.New calls it, and nothing takes
// f off again. In a process that makes no ticket.Service such mail is shown until it is erased. It is the
// engine's own.
func (s *Service) Withhold(f func(ctx context.Context, mails []MessageID) ([]MessageID, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withhold = append(s.withhold, f)
}

func (s *Service) withholders() []func(context.Context, []MessageID) ([]MessageID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.withhold)
}

// withheld returns those of the mails that are shown to nobody, copies of such among them.
func (s *Service) withheld(ctx context.Context, mails []Message) (map[MessageID]bool, error) {
	withhold := s.withholders()
	if len(withhold) == 0 || len(mails) == 0 {
		return nil, nil
	}
	ids := make([]MessageID, 0, len(mails))
	for i := range mails {
		ids = append(ids, mails[i].ID)
		if mails[i].CopyOf != "" {
			ids = append(ids, mails[i].CopyOf)
		}
	}
	out := make(map[MessageID]bool)
	for _, f := range withhold {
		kept, err := f(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range kept {
			out[id] = true
		}
	}
	for i := range mails {
		out[mails[i].ID] = out[mails[i].ID] || out[mails[i].CopyOf]
	}
	return out, nil
}

type noMeter struct{}

func (noMeter) Count(string, int, ...string)          {}
func (noMeter) Time(string, time.Duration, ...string) {}

// now is the clock as stores keep it: UTC, microseconds.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Actor loads a person and the site's switches and makes the evaluator's view of them. A host calls
// it once per request. storage.ErrNotFound when either is unknown.
func (s *Service) Actor(ctx context.Context, site SiteID, user acl.UserID) (acl.Actor, error) {
	settings, err := s.Sites.Site(ctx, site)
	if err != nil {
		return acl.Actor{}, err
	}
	p, err := s.People.Person(ctx, site, user)
	if err != nil {
		return acl.Actor{}, err
	}
	return p.Actor(settings), nil
}

// Authorize loads the inbox and checks the action. It answers storage.ErrNotFound when the actor
// may not know of the inbox (R-ACL-07), and an error matching acl.ErrDenied when something else is
// missing. Facts may be nil. It is how package ticket asks: the inbox it returns is whole, and what
// of it may be shown is for Inbox to say.
func (s *Service) Authorize(ctx context.Context, actor acl.Actor, id ID, action acl.Action, f *acl.Facts) (Inbox, error) {
	in, _, err := s.authorize(ctx, actor, id, action, f)
	return in, err
}

func (s *Service) authorize(ctx context.Context, actor acl.Actor, id ID, action acl.Action, f *acl.Facts) (Inbox, acl.Decision, error) {
	in, err := s.Store.Inbox(ctx, id)
	if err != nil {
		return Inbox{}, acl.Decision{}, err
	}
	if f == nil {
		f = &acl.Facts{}
	}
	d := acl.Check(actor, in.ACL(), action, f)
	// Some actions ask for nothing of the inbox, and it is returned all the same.
	if d.Hidden || !acl.Check(actor, in.ACL(), acl.SeeInbox, nil).Allowed {
		return Inbox{}, d, notFound(id)
	}
	if err := d.Err(); err != nil {
		return Inbox{}, d, err
	}
	if in.State == StateDeleted && !(inTrash(action) && acl.Check(actor, in.ACL(), acl.ViewTrash, nil).Allowed) {
		return Inbox{}, d, notFound(id)
	}
	return in, d, nil
}

// inTrash names what can still be done with a deleted inbox.
func inTrash(a acl.Action) bool {
	switch a {
	case acl.SeeInbox, acl.DeleteInbox, acl.ViewTrash, acl.Restore, acl.ViewHealth, acl.ReadAudit:
		return true
	}
	return false
}

func notFound(id ID) error {
	return &storage.Error{Op: "read", Entity: "inbox", ID: string(id), Err: storage.ErrNotFound}
}

// errUnchanged ends an edit that would change nothing.
var errUnchanged = errors.New("unchanged")

// edit authorizes, applies change to the inbox and stores it; on a version conflict it reads again
// and redoes. change may return the log lines and events its edit causes; the actor,
// site, inbox and time of each event are filled in.
func (s *Service) edit(ctx context.Context, actor acl.Actor, id ID, action acl.Action, f *acl.Facts,
	change func(in *Inbox) ([]Change, []Event, error)) (out Inbox, err error) {
	err = storage.Redo(func() error {
		in, _, err := s.authorize(ctx, actor, id, action, f)
		if err == nil {
			out, err = s.apply(ctx, in, actor.User, change)
		}
		return err
	})
	return out, err
}

// engineEdit is edit for the engine itself: nobody is asked.
func (s *Service) engineEdit(
	ctx context.Context, id ID, change func(in *Inbox) ([]Change, []Event, error),
) (out Inbox, err error) {
	err = storage.Redo(func() error {
		in, err := s.Store.Inbox(ctx, id)
		if err == nil {
			out, err = s.apply(ctx, in, "", change)
		}
		return err
	})
	return out, err
}

func (s *Service) apply(ctx context.Context, in Inbox, by acl.UserID, change func(in *Inbox) ([]Change, []Event, error)) (Inbox, error) {
	next := in.Clone()
	log, ev, err := change(&next)
	if errors.Is(err, errUnchanged) {
		return in, nil
	}
	if err != nil {
		return Inbox{}, err
	}
	for i := range log {
		log[i].At = s.now()
	}
	for i := range ev {
		ev[i] = s.event(ev[i], &next, by)
	}
	return s.Store.UpdateInbox(ctx, next, log, ev...)
}

// event fills in what every event of an inbox has.
func (s *Service) event(e Event, in *Inbox, by acl.UserID) Event {
	e.ID, e.At, e.Site, e.Inbox, e.Actor = s.NewID(), s.now(), in.Site, in.ID, by
	return e
}

// May answers, in one look, which of several actions the actor may do with the inbox, in the order
// asked, each with its reason: what a host draws its buttons from. storage.ErrNotFound when the
// actor may not know of the inbox. It asks about the inbox alone: a ticket may limit further, and a
// method asks again.
func (s *Service) May(ctx context.Context, actor acl.Actor, id ID, actions ...acl.Action) ([]acl.Decision, error) {
	in, err := s.Authorize(ctx, actor, id, acl.SeeInbox, nil)
	if err != nil {
		return nil, err
	}
	facts := in.ACL()
	out := make([]acl.Decision, len(actions))
	for i, a := range actions {
		out[i] = acl.Check(actor, facts, a, &acl.Facts{})
	}
	return out, nil
}

// Inbox returns one inbox as the actor may see it: rules and grants for those who manage it, the
// creator's personal exclusions for the creator alone (row 22b).
func (s *Service) Inbox(ctx context.Context, actor acl.Actor, id ID) (Inbox, error) {
	in, _, err := s.authorize(ctx, actor, id, acl.SeeInbox, nil)
	if err != nil {
		return Inbox{}, err
	}
	return redactInbox(actor, in), nil
}

// Inboxes yields the inboxes the actor may see, by ID. Deleted ones are left out unless q.States
// asks for them, and those who may not view the trash never see them (row 20); q.Site and q.Scope are the
// actor's own, whatever they hold.
func (s *Service) Inboxes(ctx context.Context, actor acl.Actor, q Query) iter.Seq2[Inbox, error] {
	scope := acl.Visible(actor)
	q.Site, q.Scope = SiteID(actor.Site), &scope
	if q.States == nil {
		q.States = []State{StateDraft, StateConnecting, StateImporting, StateActive, StatePaused,
			StateNeedsReauth, StateDisconnected}
	}
	limit := q.Limit
	q.Limit = 0
	return func(yield func(Inbox, error) bool) {
		n := 0
		for in, err := range s.Store.Inboxes(ctx, q) {
			if err != nil {
				yield(Inbox{}, err)
				return
			}
			if in.State == StateDeleted && !acl.Check(actor, in.ACL(), acl.ViewTrash, nil).Allowed {
				continue
			}
			if n++; !yield(redactInbox(actor, in), nil) || n == limit {
				return
			}
		}
	}
}

func redactInbox(actor acl.Actor, in Inbox) Inbox {
	in = in.Clone()
	in.Consent = nil
	in.Watches = ownWatches(in.Watches, actor.User)
	facts := in.ACL()
	if !acl.Check(actor, facts, acl.EditSettings, &acl.Facts{}).Allowed {
		in.Revisions, in.Grants = nil, ownGrant(in.Grants, actor.User)
		return in
	}
	if !acl.Check(actor, facts, acl.PersonalExclusions, &acl.Facts{}).Allowed {
		for i := range in.Revisions {
			in.Revisions[i].Rules = withoutPersonal(in.Revisions[i].Rules)
		}
	}
	return in
}

func ownWatches(ws []Watch, user acl.UserID) []Watch {
	for _, w := range ws {
		if w.User == user {
			return []Watch{w}
		}
	}
	return nil
}

func ownGrant(gs acl.Grants, user acl.UserID) acl.Grants {
	if g, ok := gs.Of(user); ok {
		return acl.Grants{g}
	}
	return nil
}
