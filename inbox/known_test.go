package inbox_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

// customersOf returns the addresses of the customers a person may know of.
func (w *world) customersOf(user acl.UserID) []string {
	w.t.Helper()
	var out []string
	for c, err := range w.svc.Customers(w.t.Context(), w.actor(user), inbox.CustomerQuery{}) {
		require.NoError(w.t, err)
		out = append(out, c.Address)
	}
	slices.Sort(out)
	return out
}

// customerAt returns the stored customer with an address.
func (w *world) customerAt(address string) inbox.Customer {
	w.t.Helper()
	for c, err := range w.store.Customers(w.t.Context(), inbox.CustomerQuery{Site: site, Address: address}) {
		require.NoError(w.t, err)
		return c
	}
	w.t.Fatalf("no customer at %q", address)
	return inbox.Customer{}
}

func TestACustomerExistsForThoseWhoSeeTheirMail(t *testing.T) { // R-CUS-07, row 40
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("Dentist <dentist@x.org>", "appointment", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	id := w.customerAt("dentist@x.org").ID
	ctx := t.Context()
	for user, want := range map[acl.UserID]error{
		"carl": nil, "rob": nil, "olga": nil, "adam": storage.ErrNotFound, "zoe": storage.ErrNotFound,
	} {
		_, err := w.svc.Customer(ctx, w.actor(user), id)
		require.ErrorIs(t, err, want, "customer read by %q", user)
		_, err = w.svc.UpdateCustomer(ctx, w.actor(user), "nobody", inbox.CustomerEdit{})
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	_, err := w.svc.UpdateCustomer(ctx, w.actor("adam"), id, inbox.CustomerEdit{Address: "dentist@x.org"})
	require.ErrorIs(t, err, storage.ErrNotFound, "a site admin who may not know of them")
	require.ErrorIs(t, w.svc.DeleteCustomer(ctx, w.actor("adam"), id), storage.ErrNotFound)
	require.ErrorIs(t, w.svc.DeleteCustomer(ctx, w.actor("rob"), id), acl.ErrDenied)
	require.Empty(t, w.customersOf("adam"))
	require.Equal(t, []string{"dentist@x.org"}, w.customersOf("rob"))
}

func TestHiddenMailTellsOthersOfNoCustomer(t *testing.T) { // R-CHG-07, R-CUS-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "offer", 2)
	w.mailFrom("spouse@private.org", "dinner", 1)
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	require.Equal(t, []string{"ann@acme.com", "spouse@private.org"}, w.customersOf("rob"))
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	require.Equal(t, []string{"ann@acme.com"}, w.customersOf("rob"))
	require.Equal(t, []string{"ann@acme.com"}, w.customersOf("olga"))
	require.Equal(t, []string{"ann@acme.com", "spouse@private.org"}, w.customersOf("carl"))
	_, err = w.svc.Customer(t.Context(), w.actor("rob"), w.customerAt("spouse@private.org").ID)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestPagingThroughCustomersSkipsTheUnknown(t *testing.T) { // R-CUS-07
	t.Parallel()
	w := newWorld(t, fake.Options{SearchOff: true})
	w.client("Acme", "acme.com")
	for i := range 6 {
		w.mailFrom(fmt.Sprintf("a%d@acme.com", i), "offer", 2*i+1)
		w.mailFrom(fmt.Sprintf("p%d@private.org", i), "private", 2*i+2)
	}
	in := w.open(true, filter.Rules{Mode: filter.All}, reader)
	w.sync(in.ID)
	_, err := w.svc.SetRules(t.Context(), w.actor("carl"), in.ID, filter.Rules{})
	require.NoError(t, err)
	var got []string
	q := inbox.CustomerQuery{Limit: 2}
	for {
		n := 0
		for c, err := range w.svc.Customers(t.Context(), w.actor("rob"), q) {
			require.NoError(t, err)
			got, q.After = append(got, c.Address), c.ID
			n++
		}
		if n < 2 {
			break
		}
	}
	slices.Sort(got)
	require.Equal(t, []string{"a0@acme.com", "a1@acme.com", "a2@acme.com", "a3@acme.com", "a4@acme.com", "a5@acme.com"}, got)
}

func TestEnteringAnUnknownCustomerTellsNothing(t *testing.T) { // R-CUS-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.mailFrom("Dr Who <dentist@x.org>", "appointment", 1)
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	ctx := t.Context()
	before := w.customerAt("dentist@x.org")
	c, err := w.svc.CreateCustomer(ctx, w.actor("adam"), inbox.CustomerEdit{Name: "D.", Address: "Dentist@x.org"})
	require.NoError(t, err, "not that the address is taken")
	require.Empty(t, c.KnownFrom)
	require.Equal(t, "D.", c.Name)
	after := w.customerAt("dentist@x.org")
	require.Equal(t, before.ID, after.ID, "one customer")
	require.Equal(t, []inbox.ID{in.ID}, after.KnownFrom, "what others know stays")
	c, err = w.svc.UpdateCustomer(ctx, w.actor("adam"), c.ID, inbox.CustomerEdit{Name: "Dentist", Address: "dentist@x.org"})
	require.NoError(t, err)
	require.Empty(t, c.KnownFrom)
	require.Equal(t, []inbox.ID{in.ID}, w.customerAt("dentist@x.org").KnownFrom)
	_, err = w.svc.CreateCustomer(ctx, w.actor("adam"), inbox.CustomerEdit{Name: "again", Address: "dentist@x.org"})
	require.ErrorIs(t, err, inbox.ErrAddressTaken, "by one who is known")
}

func TestWhoIsNoCustomer(t *testing.T) { // R-CUS-07, R-FLT-11, 11.6
	t.Parallel()
	w := newWorld(t, fake.Options{Kind: "gmail", SearchOff: true})
	fail := "Authentication-Results: mx.google.com; dmarc=fail header.from=x.org"
	w.mailFrom("rita@firm.example", "colleague", 1)
	w.mailFrom("spoofed@x.org", "not from x.org", 2, fail)
	w.mailFrom("known@acme.com", "real", 9)
	w.mailFrom("known@acme.com", "spoof of a known one", 3, fail)
	w.mailFrom("news@shop.io", "sale", 4, "List-Id: <news.shop.io>", "Precedence: bulk")
	w.mailFrom("away@x.org", "away", 5, "Auto-Submitted: auto-replied")
	w.mailFrom("me@firm.example", "forged self", 6)
	w.mailFrom("bare@private.org", "party", 7, "Content-Class: urn:content-classes:calendarmessage")
	w.account.Deliver(mailText("me@firm.example", "rita@firm.example", "to a colleague", "Cc: friend@x.org"),
		fake.Delivery{Received: connected.Add(-8 * time.Hour), Sent: true})
	ctx := t.Context()
	in, err := w.svc.Create(ctx, w.actor("carl"), inbox.Draft{Provider: "gmail", Name: "Carl", Import: true})
	require.NoError(t, err)
	_, err = w.svc.SetRules(ctx, w.actor("carl"), in.ID, filter.Rules{Mode: filter.All})
	require.NoError(t, err)
	_, err = w.consent(in.ID)
	require.NoError(t, err)
	_, err = w.svc.Finish(ctx, w.actor("carl"), in.ID)
	require.NoError(t, err)
	w.sync(in.ID)
	require.Len(t, w.stored(in.ID), 9)
	require.Equal(t, []string{"bare@private.org", "friend@x.org", "known@acme.com"}, w.customersOf("carl"))
	for _, m := range w.messages(in.ID) {
		if m.Subject == "spoof of a known one" || m.Subject == "colleague" || m.Subject == "forged self" {
			require.Empty(t, m.Customer, "customer of %q", m.Subject)
		}
	}
	for _, e := range []inbox.CustomerEdit{
		{Name: "Rita", Address: "rita@firm.example"}, {Name: "x", Address: "new@firm.example"},
		{Name: "x", Address: "x@y.org", Alternatives: []string{"me@firm.example"}},
	} {
		_, err := w.svc.CreateCustomer(ctx, w.actor("olga"), e)
		require.ErrorIs(t, err, inbox.ErrInternalAddress)
		require.NotContains(t, err.Error(), "@")
	}
}

func TestLaterSpoofOfAKnownCustomerIsNotTheirs(t *testing.T) { // R-FLT-11
	t.Parallel()
	w := newWorld(t, fake.Options{}, func(c *inbox.Config) {
		c.AuthServers = map[provider.Kind]string{"fake": "mx.fake"}
	})
	w.client("Acme", "acme.com")
	w.mailFrom("ann@acme.com", "real", 9)
	in := w.open(true, filter.Rules{})
	w.sync(in.ID)
	w.advance(time.Hour)
	w.account.Deliver(mailText("ann@acme.com", "me@firm.example", "spoof", "Authentication-Results: mx.fake; dmarc=fail"),
		fake.Delivery{})
	w.sync(in.ID)
	require.Equal(t, []string{"spoof", "real"}, w.stored(in.ID), "shown with a warning")
	require.Empty(t, w.messages(in.ID)[0].Customer)
	require.NotEmpty(t, w.messages(in.ID)[1].Customer)
}
