package inbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// requireInput checks that an error names the fields that cannot be taken, and shows nothing of secret.
func requireInput(t *testing.T, err error, secret string, fields ...string) {
	t.Helper()
	require.ErrorIs(t, err, inbox.ErrInput, "%q", secret)
	var got []string
	var walk func(error)
	walk = func(err error) {
		if bad, ok := err.(*inbox.InputError); ok {
			got = append(got, bad.Field)
			require.NotEmpty(t, bad.Reason, "what to do about %s", bad.Field)
		} else if all, ok := err.(interface{ Unwrap() []error }); ok {
			for _, err := range all.Unwrap() {
				walk(err)
			}
		} else if err = errors.Unwrap(err); err != nil {
			walk(err)
		}
	}
	walk(err)
	require.Equal(t, fields, got, "fields of %v", err)
	if len(secret) > 8 { // a shorter one may be in the example
		require.NotContains(t, err.Error(), secret)
	}
}

func TestACustomerHasAddressesMailCanBeSentTo(t *testing.T) { // R-CUS-02, R-CUS-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ann := w.customer(inbox.CustomerEdit{Name: "Ann", Address: "ann@acme.com"})
	for _, row := range []struct {
		address string
		want    error
	}{
		{"", rfc822.ErrBadAddress},
		{"ann", rfc822.ErrBadAddress},
		{"a b@c.dd", rfc822.ErrBadAddress},
		{"a@b.cc, d@e.ff", rfc822.ErrBadAddress},
		{"Eve <e@e.ee>@x.yy", rfc822.ErrBadAddress},
		{"Eve <e@e.ee>", rfc822.ErrBadAddress},
		{strings.Repeat("a", 5000) + "@b.cc", rfc822.ErrBadAddress},
		{"a@[192.0.2.1]", rfc822.ErrBadAddress},
		{"jürgen@b.cc", rfc822.ErrUnicodeLocal},
		{"x@y.zz\r\nBcc: a@b.cc", rfc822.ErrHeaderInjection},
		{"a\x00b@c.dd", rfc822.ErrHeaderInjection},
	} {
		_, err := w.svc.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "X", Address: row.address})
		requireInput(t, err, row.address, "address 1")
		require.ErrorIs(t, err, row.want, "%q", row.address)
		_, err = w.svc.UpdateCustomer(t.Context(), w.actor("olga"), ann.ID, inbox.CustomerEdit{
			Name: "X", Address: "else@acme.com", Alternatives: []string{"ok@acme.com", row.address}})
		requireInput(t, err, row.address, "address 3")
		require.ErrorIs(t, err, row.want, "%q", row.address)
	}
	var all []inbox.Customer
	for c, err := range w.svc.Customers(t.Context(), w.actor("olga"), inbox.CustomerQuery{}) {
		require.NoError(t, err)
		all = append(all, c)
	}
	require.Equal(t, []inbox.Customer{ann}, all, "nothing was stored")

	_, err := w.svc.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Address: "a@b.cc", Alternatives: make([]string, 4)})
	requireInput(t, err, "", "alternatives")
	_, err = w.svc.CreateCustomer(t.Context(), w.actor("olga"), inbox.CustomerEdit{Name: "A\r\nB", Address: "ann"})
	requireInput(t, err, "A\r\nB", "name", "address 1")
	odd := w.customer(inbox.CustomerEdit{Name: "Odd", Address: ` "Ann Lee"@ACME.com `, Alternatives: []string{"c@bücher.example"}})
	require.Equal(t, `"ann lee"@acme.com`, odd.Address)
}

func TestACustomerFromMailIsEditedWhateverTheirAddress(t *testing.T) { // R-CUS-01
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.client("Acme", "acme.com")
	w.mailFrom("jürgen@acme.com", "offer", 1)
	in := w.open(true, filter.Rules{}, acl.Grant{User: "olga", Access: acl.ReadOnly})
	w.sync(in.ID)
	c := w.customerAt("jürgen@acme.com")
	c, err := w.svc.UpdateCustomer(t.Context(), w.actor("olga"), c.ID,
		inbox.CustomerEdit{Name: "Jürgen", Address: c.Address, Alternatives: []string{"juergen@acme.com"}})
	require.NoError(t, err)
	require.Equal(t, "Jürgen", c.Name)
}

func TestNamesAreOneLine(t *testing.T) { // R-INB-03, R-CUS-02, R-CUS-05, R-MSG-10
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ctx := t.Context()
	in, acme := w.draft(true, filter.Rules{}), w.client("Acme")
	for _, name := range []string{"Evil\r\nBcc: v@e.e\x00", "a\tb", "a\x7fb", "a\xffb", strings.Repeat("ü", 101)} {
		_, err := w.svc.Create(ctx, w.actor("carl"), inbox.Draft{Provider: "fake", Name: name})
		requireInput(t, err, name, "name")
		_, err = w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Name: &name})
		requireInput(t, err, name, "name")
		_, err = w.svc.CreateCustomer(ctx, w.actor("olga"), inbox.CustomerEdit{Name: name, Address: "ann@acme.com"})
		requireInput(t, err, name, "name")
		_, err = w.svc.CreateCompany(ctx, w.actor("olga"), inbox.CompanyEdit{Name: name})
		requireInput(t, err, name, "name")
		_, err = w.svc.UpdateCompany(ctx, w.actor("olga"), acme.ID, inbox.CompanyEdit{Name: name})
		requireInput(t, err, name, "name")
	}
	stored, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, in, stored)
	name := " " + strings.Repeat("ü", 100) + "\n"
	in, err = w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Name: &name})
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(name), in.Name)
}

func TestSettingsOfAnInboxAreChecked(t *testing.T) { // R-INB-14, R-INB-15, R-MSG-06, R-MSG-10
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ctx := t.Context()
	in := w.draft(true, filter.Rules{})
	for _, row := range []struct {
		settings inbox.InboxSettings
		fields   []string
	}{
		{inbox.InboxSettings{SendAs: "bogus"}, []string{"settings.send_as"}},
		{inbox.InboxSettings{OnClosed: "bogus"}, []string{"settings.on_closed"}},
		{inbox.InboxSettings{DefaultStatus: "Bogus!"}, []string{"settings.default_status"}},
		{inbox.InboxSettings{DefaultStatus: strings.Repeat("a", 41)}, []string{"settings.default_status"}},
		{inbox.InboxSettings{ClosedDays: -5, OnClosed: inbox.LockQuiet}, []string{"settings.closed_days"}},
		{inbox.InboxSettings{ClosedDays: 1 << 40, OnClosed: inbox.LockQuiet}, []string{"settings.closed_days"}},
		{inbox.InboxSettings{Signature: strings.Repeat("a", 3<<20)}, []string{"settings.signature"}},
		{inbox.InboxSettings{Signature: "a\x00b"}, []string{"settings.signature"}},
		{inbox.InboxSettings{Signature: "a\xffb"}, []string{"settings.signature"}},
		{inbox.InboxSettings{SendAs: "bogus", OnClosed: "bogus", ClosedDays: -1},
			[]string{"settings.send_as", "settings.on_closed", "settings.closed_days"}},
	} {
		_, err := w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Settings: &row.settings})
		requireInput(t, err, "", row.fields...)
		require.NotContains(t, err.Error(), "bogus")
	}
	stored, err := w.store.Inbox(ctx, in.ID)
	require.NoError(t, err)
	require.Equal(t, in, stored)
	for _, s := range []inbox.InboxSettings{
		{SendAs: inbox.SendAsInbox, OnClosed: inbox.LockNow, DefaultStatus: "on-hold", Signature: strings.Repeat("a", inbox.MaxSignature)},
		{SendAs: inbox.SendAsAgent, OnClosed: inbox.LockQuiet, ClosedDays: 36_500, DefaultStatus: "a-status-of-the-site"},
		{},
	} {
		got, err := w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Settings: &s})
		require.NoError(t, err)
		require.Equal(t, s, got.Settings)
	}
}

func TestWhatIsStoredAlreadyDoesNotKeepTheRestFromBeingEdited(t *testing.T) { // R-INB-09, R-CUS-05
	t.Parallel()
	w := newWorld(t, fake.Options{})
	ctx := t.Context()
	in := w.draft(true, filter.Rules{})
	in.Name, in.Settings = "A\nB", inbox.InboxSettings{SendAs: "bogus", OnClosed: "bogus", DefaultStatus: "?", ClosedDays: -5,
		Signature: strings.Repeat("a", 3<<20)}
	in, err := w.store.UpdateInbox(ctx, in, nil)
	require.NoError(t, err)
	s := in.Settings
	s.TimeLogging = true
	got, err := w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Name: &in.Name, Settings: &s})
	require.NoError(t, err)
	require.Equal(t, s, got.Settings)
	s.SendAs = "other"
	_, err = w.svc.Edit(ctx, w.actor("carl"), in.ID, inbox.Edit{Settings: &s})
	requireInput(t, err, "", "settings.send_as")

	acme := w.client("Acme")
	acme.Name, acme.Kind, acme.Website = "A\nB", "bogus", " acme.com"
	acme, err = w.store.SaveCompany(ctx, acme, inbox.Event{ID: "e-1", Site: site})
	require.NoError(t, err)
	acme, err = w.svc.UpdateCompany(ctx, w.actor("olga"), acme.ID,
		inbox.CompanyEdit{Name: acme.Name, Kind: acme.Kind, Website: acme.Website, Phone: "123"})
	require.NoError(t, err)
	require.Equal(t, "123", acme.Phone)
}

func TestACompanyIsChecked(t *testing.T) { // R-CUS-05, R-DOM-02
	t.Parallel()
	w := newWorld(t, fake.Options{})
	for _, row := range []struct {
		edit   inbox.CompanyEdit
		fields []string
	}{
		{inbox.CompanyEdit{Kind: "bogus"}, []string{"kind"}},
		{inbox.CompanyEdit{Website: "javascript:alert(1)"}, []string{"website"}},
		{inbox.CompanyEdit{Website: "acme.com"}, []string{"website"}},
		{inbox.CompanyEdit{Website: "https://"}, []string{"website"}},
		{inbox.CompanyEdit{Website: "https:///acme.com"}, []string{"website"}},
		{inbox.CompanyEdit{Website: "ftp://acme.com"}, []string{"website"}},
		{inbox.CompanyEdit{Website: "https://acme.com/\r\nx"}, []string{"website"}},
		{inbox.CompanyEdit{Website: "https://acme.com/" + strings.Repeat("a", 2000)}, []string{"website"}},
		{inbox.CompanyEdit{Domains: []string{"ok.org", "a b", "gmail.com"}}, []string{"domain 2", "domain 3"}},
	} {
		row.edit.Name = "Acme"
		_, err := w.svc.CreateCompany(t.Context(), w.actor("olga"), row.edit)
		requireInput(t, err, row.edit.Website, row.fields...)
	}
	_, err := w.svc.CreateCompany(t.Context(), w.actor("olga"), inbox.CompanyEdit{Name: "Acme", Domains: []string{"ok.org", "a b"}})
	require.EqualError(t, err, "domain 2: contains a space", "which one it is")
	for c, err := range w.store.Companies(t.Context(), inbox.CompanyQuery{Site: site}) {
		t.Fatalf("stored %v, %v", c, err)
	}
	c, err := w.svc.CreateCompany(t.Context(), w.actor("olga"),
		inbox.CompanyEdit{Name: "Acme", Kind: inbox.KindGroup, Website: " HTTPS://acme.com:8443/about?x=1#team "})
	require.NoError(t, err)
	require.Equal(t, "HTTPS://acme.com:8443/about?x=1#team", c.Website)
}

func TestWhoMayNotManageClientsIsToldWhatItTakes(t *testing.T) { // R-CUS-05
	t.Parallel()
	w := newWorld(t, fake.Options{})
	_, err := w.svc.CreateCompany(t.Context(), w.actor("rob"), inbox.CompanyEdit{Name: "Acme"})
	require.ErrorIs(t, err, acl.ErrDenied)
	require.ErrorContains(t, err, "takes an owner, an admin, or an agent with ManageCompanies")
}

func TestConsentComesBackToAWholeAddress(t *testing.T) { // R-CON-03
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.draft(true, filter.Rules{})
	stored, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	for _, redirect := range []string{"", "x", "/back", "else.example/back", "//else.example/back", "https://", "https:back",
		"javascript:alert(1)", "https://else.example/back#x", "https://else.example/\r\n"} {
		_, err := w.svc.Connect(t.Context(), w.actor("carl"), in.ID, redirect)
		requireInput(t, err, redirect, "redirect")
	}
	now, err := w.store.Inbox(t.Context(), in.ID)
	require.NoError(t, err)
	require.Equal(t, stored, now)
	for _, redirect := range []string{"http://127.0.0.1:8080/", "https://else.example/back?a=b", "com.example.desk:/back"} {
		_, err := w.svc.Connect(t.Context(), w.actor("carl"), in.ID, redirect)
		require.NoError(t, err, redirect)
	}
}
