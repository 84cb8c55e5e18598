package outlooktest

import "time"

// Config sets up a Server. The zero Config is Microsoft's documented behaviour with its documented
// limits, without latency.
type Config struct {
	// ClientID and ClientSecret are the app registration; default the constants of those names.
	ClientID, ClientSecret string
	// RedirectURIs are the registered redirect addresses. Default: any.
	RedirectURIs []string
	// Approve decides what happens on the consent page. Default: everything is granted, for the
	// account of the login hint or else the oldest account of the tenant.
	Approve func(Consent) Decision
	// AdminConsent says that people may not consent by themselves, as under the policy that is
	// Microsoft's default since November 2025: an administrator has to consent for the tenant.
	AdminConsent bool

	// Limits are the service's limits.
	Limits Limits
	// Latency is how long a call takes, by its name and the number of items in its answer. The call
	// holds its place among the concurrent ones meanwhile. Default: no time.
	Latency func(method string, items int) time.Duration
	// MaxPage answers 504 to a page of messages with bodies, of a list or a delta query, that asks for
	// more items than this, after what Latency says. Default: no such limit below the 1,000 that Graph allows.
	MaxPage int

	// NoListHeaders leaves internetMessageHeaders out of lists and deltas. Whether they are there is
	// not documented.
	NoListHeaders bool
	// MergeSubjects puts mail into the conversation of any other mail with the same subject. Observed.
	MergeSubjects bool

	// Now is the server's clock. Default time.Now. With another clock, what becomes due is done at
	// the next call.
	Now func() time.Time
	// Pipe serves connections made in memory instead of a port of the loopback interface: only
	// Client reaches the server then. Needed in a testing/synctest bubble.
	Pipe bool
	// Seed makes ids differ between servers.
	Seed uint64

	// TokenLife is how long an access token lives. Default 4,199 seconds.
	TokenLife time.Duration
	// RefreshLife is how long a refresh token lives. Default 90 days.
	RefreshLife time.Duration
	// RefuseUsedRefresh ends a refresh token when it is used. Microsoft leaves it alive.
	RefuseUsedRefresh bool

	Delta Delta
	Send  Send
	Push  Push
}

// Delta says how delta queries behave beyond what is documented.
type Delta struct {
	// FilterCap is the most messages that a first round with a filter gives. Default 5,000.
	FilterCap int
	// KeepReturns reports a message that came back to its folder between two rounds with immutable
	// ids. Observed is that only its removal is reported, which is the default.
	KeepReturns bool
	// LoseMoves leaves out the destination's record of a move, with immutable ids. Observed.
	LoseMoves bool
	// MoveReason is the reason of the record in the source folder. Default "deleted".
	MoveReason string
	// PartialETag gives an etag to records that hold no more than the changed property. Recorded
	// answers have none.
	PartialETag bool
	// NoLeak keeps changes to messages outside the filter out of the answers. Observed is that
	// removals and read states come through, which is the default.
	NoLeak bool
	// Lag is how late changes appear.
	Lag time.Duration
	// Tokens is how many delta tokens a mailbox keeps; the oldest is evicted. Default: no limit.
	Tokens int
	// Location adds the address of a fresh delta query to the 410 of an evicted token.
	Location bool
	// DuplicateEvery repeats every so many-th record later in its round. Zero: none.
	DuplicateEvery int
	// EmptyPageEvery puts an empty page with a nextLink before every so many-th page, of lists too.
	EmptyPageEvery int
}

// Send says how sending behaves.
type Send struct {
	// Delay is how long an accepted mail stays in Drafts before it goes out and is in Sent Items.
	Delay time.Duration
	// NewID gives the mail in Sent Items another immutable id than the draft had. Documented is
	// the same id; observed are both.
	NewID bool
	// LearnX drops an x- header of a MIME mail until one of that name was sent as JSON by the
	// mailbox. Observed.
	LearnX bool
	// SwallowAbove answers 200 to a MIME sendMail with more bytes of base64 than this and sends
	// nothing, as observed in 2021 above 2,240 KB. Zero: never.
	SwallowAbove int
	// MaxMessage is the most bytes that a mail may have. Default 150 MiB.
	MaxMessage int64
}

func (c Config) withDefaults() Config {
	if c.ClientID == "" {
		c.ClientID = ClientID
	}
	if c.ClientSecret == "" {
		c.ClientSecret = ClientSecret
	}
	if c.TokenLife == 0 {
		c.TokenLife = 4199 * time.Second
	}
	if c.RefreshLife == 0 {
		c.RefreshLife = 90 * 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Delta.FilterCap == 0 {
		c.Delta.FilterCap = 5000
	}
	if c.Delta.MoveReason == "" {
		c.Delta.MoveReason = "deleted"
	}
	if c.Send.MaxMessage == 0 {
		c.Send.MaxMessage = 150 << 20
	}
	c.Push = c.Push.withDefaults()
	c.Limits = c.Limits.withDefaults()
	return c
}
