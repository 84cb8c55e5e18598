package ticket_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

// choices is a site's catalog with something in each list.
func (w *world) choices(change ...func(*ticket.Catalog)) ticket.Catalog {
	w.t.Helper()
	c, err := w.svc.Catalog(w.t.Context(), w.actor("olga"))
	require.NoError(w.t, err)
	c.Statuses = append(c.Statuses, ticket.Label{Code: "in-review", Name: "In review", Color: "#FFA785"},
		ticket.Label{Code: "triage", Name: "Triage"})
	c.Priorities = []ticket.Label{{Code: "high", Name: "High"}, {Code: "low", Name: "Low"}}
	c.Types = []ticket.Type{{Label: ticket.Label{Code: "question", Name: "Question"}},
		{Label: ticket.Label{Code: "fault", Name: "Fault"}}}
	c.Sources = append(c.Sources, ticket.Label{Code: "fair", Name: "Trade fair"})
	c.Tags = []ticket.Label{{Code: "red", Name: "Rot"}, {Code: "blue", Name: "Blau"}, {Code: "old", Name: "Alt"}}
	c.Fields = []ticket.Field{
		{Label: ticket.Label{Code: "contract", Name: "Contract"}, Kind: ticket.FieldText},
		{Label: ticket.Label{Code: "story", Name: "Story"}, Kind: ticket.FieldTextarea},
		{Label: ticket.Label{Code: "seats", Name: "Seats"}, Kind: ticket.FieldNumber},
		{Label: ticket.Label{Code: "due", Name: "Due"}, Kind: ticket.FieldDate},
		{Label: ticket.Label{Code: "plan", Name: "Plan"}, Kind: ticket.FieldDropdown,
			Choices: []ticket.Label{{Code: "small", Name: "Small"}, {Code: "big", Name: "Big"}}},
		{Label: ticket.Label{Code: "needs", Name: "Needs"}, Kind: ticket.FieldCheckboxes,
			Choices: []ticket.Label{{Code: "call", Name: "Call"}, {Code: "visit", Name: "Visit"}, {Code: "bill", Name: "Bill"}}},
	}
	for _, f := range change {
		f(&c)
	}
	saved, err := w.svc.SaveCatalog(w.t.Context(), w.actor("olga"), c)
	require.NoError(w.t, err)
	return saved
}

func codes(list []ticket.Label) (out []string) {
	for _, l := range list {
		if l.Retired {
			l.Code += " retired"
		}
		out = append(out, l.Code)
	}
	return out
}

func TestTheCatalogBeginsWithWhatIsBuiltIn(t *testing.T) { // R-STA-01, R-TKT-02
	t.Parallel()
	w := newWorld(t, fake.Options{})
	c, err := w.svc.Catalog(t.Context(), w.actor("zoe"))
	require.NoError(t, err, "everybody who works on the site may look")
	require.Equal(t, []string{"active", "waiting", "on-hold", "solved", "closed", "spam"}, codes(c.Statuses))
	require.Equal(t, []string{"email", "email-manual", "phone", "docs"}, codes(c.Sources))

	slices.Reverse(c.Statuses)
	c.Statuses = slices.Insert(c.Statuses, 2, ticket.Label{Name: " In review "})
	saved, err := w.svc.SaveCatalog(t.Context(), w.actor("adam"), c)
	require.NoError(t, err, "R-STA-01: admins add custom ones")
	require.Equal(t, "In review", saved.Statuses[2].Name)
	require.NotEmpty(t, saved.Statuses[2].Code, "a code is made up")
	again, err := w.svc.Catalog(t.Context(), w.actor("zoe"))
	require.NoError(t, err)
	require.Equal(t, saved, again, "in the order it was saved in")
	require.Equal(t, "spam", again.Statuses[0].Code)
}

func TestWhoMaySaveTheCatalog(t *testing.T) { // R-STA-01: admins; R-ACL-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	for _, user := range []acl.UserID{"olga", "adam"} {
		c, err := w.svc.Catalog(t.Context(), w.actor(user))
		require.NoError(t, err)
		_, err = w.svc.SaveCatalog(t.Context(), w.actor(user), c)
		require.NoError(t, err, "%s", user)
	}
	c, err := w.svc.Catalog(t.Context(), w.actor("carl"))
	require.NoError(t, err)
	_, err = w.svc.SaveCatalog(t.Context(), w.actor("carl"), c)
	require.ErrorIs(t, err, acl.ErrDenied)
	gone := w.actor("olga")
	gone.State = acl.Deactivated
	for _, nobody := range []acl.Actor{gone, {}} {
		_, err = w.svc.Catalog(t.Context(), nobody)
		require.ErrorIs(t, err, storage.ErrNotFound)
		_, err = w.svc.SaveCatalog(t.Context(), nobody, c)
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
}

func TestOfTwoWhoSaveTheCatalogOneReadsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	c := w.choices()
	_, err := w.svc.SaveCatalog(t.Context(), w.actor("adam"), c)
	require.NoError(t, err)
	_, err = w.svc.SaveCatalog(t.Context(), w.actor("olga"), c)
	require.ErrorIs(t, err, storage.ErrConflict)
}

func TestWhatIsTakenOutOfTheCatalogStaysReadable(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	c := w.choices()
	ctx, rita := t.Context(), w.actor("rita")
	_, err := w.svc.SetStatus(ctx, rita, offer.ID, "in-review")
	require.NoError(t, err)

	c.Statuses = slices.DeleteFunc(c.Statuses, func(l ticket.Label) bool { return l.Code == "in-review" })
	c.Fields[4].Choices = c.Fields[4].Choices[1:]
	c.Fields = c.Fields[4:]
	c, err = w.svc.SaveCatalog(ctx, w.actor("olga"), c)
	require.NoError(t, err)
	require.Contains(t, codes(c.Statuses), "in-review retired")
	require.Equal(t, []string{"big", "small retired"}, codes(c.Fields[0].Choices))
	require.Len(t, c.Fields, 6)
	require.True(t, c.Fields[5].Retired)
	require.Equal(t, ticket.Status("in-review"), w.only().Status, "the ticket keeps what it has")

	_, err = w.svc.SetStatus(ctx, rita, offer.ID, ticket.OnHold)
	require.NoError(t, err)
	_, err = w.svc.SetStatus(ctx, rita, offer.ID, "in-review")
	var bad *ticket.OptionError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, ticket.OptionError{Option: "status", Value: "in-review", Reason: ticket.OptionRetired}, *bad)

	c.Statuses[len(c.Statuses)-1].Retired = false
	_, err = w.svc.SaveCatalog(ctx, w.actor("olga"), c)
	require.NoError(t, err)
	_, err = w.svc.SetStatus(ctx, rita, offer.ID, "in-review")
	require.NoError(t, err, "back again")
}

func TestWhatIsWrongWithACatalogIsToldAllAtOnce(t *testing.T) {
	t.Parallel()
	label := func(code, name string) ticket.Label { return ticket.Label{Code: code, Name: name} }
	for _, row := range []struct {
		name   string
		change func(c *ticket.Catalog)
		want   string
	}{
		{"R-STA-01 a built-in status taken out", func(c *ticket.Catalog) { c.Statuses = c.Statuses[1:] }, `statuses "active" is built in`},
		{"R-STA-01 a built-in status renamed", func(c *ticket.Catalog) { c.Statuses[1].Name = "Pending" }, `statuses "waiting" is built in`},
		{"R-STA-01 a built-in status retired", func(c *ticket.Catalog) { c.Statuses[2].Retired = true }, `statuses "on-hold" is built in`},
		{"R-TKT-02 a built-in source taken out", func(c *ticket.Catalog) { c.Sources = c.Sources[1:] }, `sources "email" is built in`},
		{"a code in capitals", func(c *ticket.Catalog) { c.Tags[0] = label("Red", "Red") }, `tags "Red" needs a code`},
		{"a code too long", func(c *ticket.Catalog) { c.Tags[0] = label(strings.Repeat("x", 41), "Red") }, `needs a code`},
		{"a code twice", func(c *ticket.Catalog) { c.Tags[0] = label("blue", "Red") }, `tags "blue" has the code`},
		{"no name", func(c *ticket.Catalog) { c.Priorities[0].Name = " " }, `priorities "high" needs a name`},
		{"a name of two lines", func(c *ticket.Catalog) { c.Priorities[0].Name = "a\nb" }, `priorities "high" needs a name`},
		{"a name that is no text", func(c *ticket.Catalog) { c.Priorities[0].Name = "\xff" }, `priorities "high" needs a name`},
		{"a name too long", func(c *ticket.Catalog) { c.Priorities[0].Name = strings.Repeat("é", 101) }, `priorities "high" needs a name`},
		{"a name twice", func(c *ticket.Catalog) { c.Priorities[0].Name = "LOW" }, `priorities "low" has the name`},
		{"a colour in words", func(c *ticket.Catalog) { c.Tags[0].Color = "red" }, `tags "red" needs a colour`},
		{"an icon too long", func(c *ticket.Catalog) { c.Tags[0].Icon = strings.Repeat("i", 101) }, `tags "red" needs an icon`},
		{"a type for no inbox", func(c *ticket.Catalog) {
			c.Types[0].Scope = ticket.Scope{Limited: true, Inboxes: []inbox.ID{"none"}}
		}, `types "question" is for an inbox that is not there`},
		{"R-TKT-03 a field of no kind", func(c *ticket.Catalog) { c.Fields[0].Kind = "" }, `fields "contract" is of no kind`},
		{"a field of another kind", func(c *ticket.Catalog) { c.Fields[0].Kind = ticket.FieldDate }, `fields "contract" cannot be of another kind`},
		{"a dropdown without choices", func(c *ticket.Catalog) { c.Fields[4].Choices = nil }, `fields "plan" needs choices`},
		{"a text with choices", func(c *ticket.Catalog) { c.Fields[0].Choices = c.Fields[4].Choices }, `fields "contract" needs choices`},
		{"a choice without a name", func(c *ticket.Catalog) { c.Fields[4].Choices[0].Name = "" }, `fields.plan "small" needs a name`},
		{"too many", func(c *ticket.Catalog) {
			for i := range 1000 {
				c.Tags = append(c.Tags, ticket.Label{Name: "tag " + strings.Repeat("x", i%90) + string(rune('a'+i/90))})
			}
		}, `is more than a list may hold`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fake.Options{})
			before := w.choices()
			bad := w.copyCatalog(before)
			row.change(&bad)
			_, err := w.svc.SaveCatalog(t.Context(), w.actor("olga"), bad)
			require.ErrorIs(t, err, ticket.ErrCatalog)
			require.ErrorContains(t, err, row.want)
			var one *ticket.CatalogError
			require.ErrorAs(t, err, &one)
			after, err := w.svc.Catalog(t.Context(), w.actor("olga"))
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
	w := newWorld(t, fake.Options{})
	bad := w.choices()
	bad.Tags[0].Color, bad.Tags[1].Name, bad.Fields[0].Kind = "red", "", ""
	_, err := w.svc.SaveCatalog(t.Context(), w.actor("olga"), bad)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	require.Len(t, joined.Unwrap(), 3)
}

// A form finds the row that is wrong also where the label is new.
func TestACatalogErrorNamesTheRowAsItWasHandedOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fake.Options{})
	bad := w.choices()
	n := len(bad.Tags)
	bad.Tags = append(bad.Tags, ticket.Label{}, ticket.Label{Name: "a\r\nb"}, ticket.Label{Code: "x", Name: "x", Color: "red"})
	bad.Statuses = bad.Statuses[1:]
	_, err := w.svc.SaveCatalog(t.Context(), w.actor("olga"), bad)
	var got []ticket.CatalogError
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		var one *ticket.CatalogError
		require.ErrorAs(t, err, &one)
		got = append(got, *one)
	}
	require.Equal(t, []ticket.CatalogError{
		{List: "statuses", Code: "active", Name: "Active", Row: -1, Reason: ticket.CatalogBuiltIn},
		{List: "tags", Row: n, Reason: ticket.CatalogBadName},
		{List: "tags", Name: "a\r\nb", Row: n + 1, Reason: ticket.CatalogBadName},
		{List: "tags", Code: "x", Name: "x", Row: n + 2, Reason: ticket.CatalogBadColor},
	}, got)
	require.ErrorContains(t, err, fmt.Sprintf("tags, row %d: needs a name of one line", n+1))
}

func (w *world) copyCatalog(c ticket.Catalog) (out ticket.Catalog) {
	w.t.Helper()
	text, err := json.Marshal(c)
	require.NoError(w.t, err)
	require.NoError(w.t, json.Unmarshal(text, &out))
	return out
}

// Who does not know of a private mailbox does not learn of it from what is offered there (R-ACL-04).
func TestScopesNameOnlyInboxesTheReaderKnows(t *testing.T) { // R-TKT-03, R-ACL-04, R-ACL-07
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.open(false)
	only := ticket.Scope{Limited: true, Inboxes: []inbox.ID{w.in.ID}}
	c := w.choices(func(c *ticket.Catalog) { // olga, the owner, knows of carl's mailbox
		c.Types[0].Scope, c.Fields[0].Scope = only, only
	})
	require.Equal(t, only, c.Types[0].Scope)

	for user, sees := range map[acl.UserID]bool{"carl": true, "rob": true, "olga": true, "adam": false, "zoe": false} {
		got, err := w.svc.Catalog(t.Context(), w.actor(user))
		require.NoError(t, err)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, sees, strings.Contains(string(text), string(w.in.ID)), "%s reads the inbox's id", user)
		named := slices.ContainsFunc(got.Types, func(ty ticket.Type) bool { return ty.Code == "question" })
		require.Equal(t, sees || user == "adam", named, "%s reads of the type", user)
	}
	adams, err := w.svc.Catalog(t.Context(), w.actor("adam"))
	require.NoError(t, err)
	require.Equal(t, ticket.Scope{Limited: true, Elsewhere: 1}, adams.Types[0].Scope)
	guess := w.copyCatalog(adams)
	guess.Types[1].Scope = only
	_, err = w.svc.SaveCatalog(t.Context(), w.actor("adam"), guess)
	require.ErrorIs(t, err, ticket.ErrCatalog, "a guessed id is no other than one that is not there")

	adams.Types[0].Name = "Any question"
	_, err = w.svc.SaveCatalog(t.Context(), w.actor("adam"), adams)
	require.NoError(t, err)
	got, err := w.svc.Catalog(t.Context(), w.actor("olga"))
	require.NoError(t, err)
	require.Equal(t, "Any question", got.Types[0].Name)
	require.Equal(t, only, got.Types[0].Scope, "what adam could not see is as it was")
}

func TestTypesOfNewTickets(t *testing.T) { // R-TKT-03: default, enabled for future inboxes
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.choices(func(c *ticket.Catalog) {
		c.Types[0].Default, c.Types[0].Scope = true, ticket.Scope{Limited: true}
		c.Types[1].Default, c.Types[1].Scope = true, ticket.Scope{Limited: true, Future: true}
	})
	w.advance(time.Second)
	w.open(false)
	w.advance(time.Minute)
	w.deliver("ann@acme.com", "offer")
	w.pull()
	require.Equal(t, "fault", w.only().Type, "the first that is offered in an inbox made since")
}

func TestTagsOfTheCatalogAreTold(t *testing.T) { // RULES 10: tag.created, edited, deleted
	t.Parallel()
	w := newWorld(t, fake.Options{})
	c := w.choices()
	c.Tags = slices.Delete(c.Tags, 0, 1)
	c.Tags[0].Color = "#0000ff"
	_, err := w.svc.SaveCatalog(t.Context(), w.actor("adam"), c)
	require.NoError(t, err)
	var got []string
	for e, err := range w.store.DueEvents(t.Context(), w.clock(), 0) {
		require.NoError(t, err)
		require.Equal(t, site, e.Site)
		got = append(got, string(e.Name)+" "+e.Facts["tag"]+" by "+string(e.Actor))
	}
	require.Equal(t, []string{"tag.created red by olga", "tag.created blue by olga", "tag.created old by olga",
		"tag.edited blue by adam", "tag.deleted red by adam"}, got)
}

func TestTheCatalogWaitsForItsStore(t *testing.T) {
	t.Parallel()
	w, offer := asked(t, fake.Options{})
	ended := errors.New("ended")
	w.store.catalog = ended
	_, err := w.svc.Catalog(t.Context(), w.actor("olga"))
	require.ErrorIs(t, err, ended)
	_, err = w.svc.SaveCatalog(t.Context(), w.actor("olga"), ticket.Catalog{})
	require.ErrorIs(t, err, ended)
	_, err = w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, "in-review")
	require.ErrorIs(t, err, ended)
	_, err = w.svc.SetStatus(t.Context(), w.actor("rita"), offer.ID, ticket.Solved)
	require.NoError(t, err, "what is built in needs no catalog")
}

func TestAgentsManageTagsWhereTheSiteLetsThem(t *testing.T) { // R-ROL-06
	t.Parallel()
	w := newWorld(t, fake.Options{})
	w.choices()
	save := func(user acl.UserID, change func(*ticket.Catalog)) error {
		c, err := w.svc.Catalog(t.Context(), w.actor(user))
		require.NoError(t, err)
		change(&c)
		_, err = w.svc.SaveCatalog(t.Context(), w.actor(user), c)
		return err
	}
	addTag := func(c *ticket.Catalog) { c.Tags = append(c.Tags, ticket.Label{Code: "green", Name: "Green"}) }
	require.ErrorIs(t, save("rita", addTag), acl.ErrDenied)
	w.host.SetSite(inbox.Settings{ID: site, AgentsMayManageTags: true})
	require.ErrorIs(t, save("rita", func(c *ticket.Catalog) { c.Priorities = nil }), acl.ErrDenied)
	require.ErrorIs(t, save("rita", func(c *ticket.Catalog) { addTag(c); c.Fields = c.Fields[1:] }), acl.ErrDenied)
	require.NoError(t, save("rita", addTag))
	c, err := w.svc.Catalog(t.Context(), w.actor("olga"))
	require.NoError(t, err)
	require.Equal(t, []string{"red", "blue", "old", "green"}, codes(c.Tags))
	require.Len(t, c.Fields, 6)
}

func TestADefaultStatusThatIsNotOfferedIsActive(t *testing.T) { // R-STA-01
	t.Parallel()
	for status, want := range map[string]ticket.Status{"triage": "triage", "on-hold": ticket.OnHold, "none": ticket.Active} {
		w := newWorld(t, fake.Options{})
		w.choices()
		w.open(false)
		in, err := w.store.Inbox(t.Context(), w.in.ID)
		require.NoError(t, err)
		in.Settings.DefaultStatus = status
		_, err = w.store.UpdateInbox(t.Context(), in, nil)
		require.NoError(t, err)
		require.Equal(t, want, w.ask("Ann <ann@acme.com>", "offer").Status, status)
	}
}
