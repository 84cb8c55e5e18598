package desktest_test

import (
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/inbox/htmlsafe"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/ticket"
)

// leakIDs are the ids of everything there is, seen by anybody or not.
type leakIDs struct {
	inboxes   []inbox.ID
	messages  []inbox.MessageID
	remotes   []provider.RemoteID
	customers []inbox.CustomerID
	companies []inbox.CompanyID
	tickets   []ticket.ID
	entries   []ticket.EntryID
	ticketOf  map[ticket.EntryID]ticket.ID
}

func (w *leakWorld) everyID() (ids leakIDs) {
	w.t.Helper()
	ctx := w.t.Context()
	ids.ticketOf = make(map[ticket.EntryID]ticket.ID)
	for _, at := range []inbox.SiteID{site, elsewhere} {
		for c, err := range w.store.Customers(ctx, inbox.CustomerQuery{Site: at, Deleted: true}) {
			require.NoError(w.t, err)
			ids.customers = append(ids.customers, c.ID)
		}
		for c, err := range w.store.Companies(ctx, inbox.CompanyQuery{Site: at, Deleted: true}) {
			require.NoError(w.t, err)
			ids.companies = append(ids.companies, c.ID)
		}
	}
	for in, err := range w.store.Inboxes(ctx, inbox.Query{}) {
		require.NoError(w.t, err)
		ids.inboxes = append(ids.inboxes, in.ID)
		for m, err := range w.store.Messages(ctx, inbox.MessageQuery{Inbox: in.ID, Hidden: true}) {
			require.NoError(w.t, err)
			ids.messages = append(ids.messages, m.ID)
			if m.Hidden || m.Private || m.Removed {
				w.secrets[string(m.ID)] = []string{"carl"}
			}
			if !slices.Contains(ids.remotes, m.Remote) {
				ids.remotes = append(ids.remotes, m.Remote)
			}
		}
	}
	for _, deleted := range []bool{false, true} {
		for t, err := range w.store.Tickets(ctx, ticket.Query{AllHidden: true, Deleted: deleted, Merged: true}) {
			require.NoError(w.t, err)
			ids.tickets = append(ids.tickets, t.ID)
			if t.Hidden() && t.Inbox == w.a {
				w.secrets[string(t.ID)] = []string{"carl"}
			}
			if t.Inbox == w.b && t.Origin == "" { // a ticket that was moved was known before
				w.secrets[string(t.ID)] = viewersOfB // R-MSG-06: of a child there is a count alone
			}
			for e, err := range w.store.Entries(ctx, ticket.EntryQuery{Ticket: t.ID}) {
				require.NoError(w.t, err)
				ids.entries = append(ids.entries, e.ID)
				ids.ticketOf[e.ID] = t.ID
			}
		}
	}
	ids.entries = append(ids.entries, w.draft.Entry) // what a draft is known by
	ids.ticketOf[w.draft.Entry] = w.draft.Ticket
	return ids
}

// arguments are the values every parameter of a type is tried with. A type that is not here is made of
// those that are; see made.
func (w *leakWorld) arguments() map[reflect.Type][]any {
	args := map[reflect.Type][]any{
		reflect.TypeFor[inbox.ID]():          anys(w.ids.inboxes),
		reflect.TypeFor[inbox.MessageID]():   anys(w.ids.messages),
		reflect.TypeFor[provider.RemoteID](): anys(w.ids.remotes),
		reflect.TypeFor[inbox.CustomerID]():  anys(w.ids.customers),
		reflect.TypeFor[inbox.CompanyID]():   anys(w.ids.companies),
		reflect.TypeFor[ticket.ID]():         anys(w.ids.tickets),
		reflect.TypeFor[ticket.EntryID]():    anys(w.ids.entries),
		reflect.TypeFor[acl.Action]():        anys(acl.Actions()),
		reflect.TypeFor[acl.UserID]():        {acl.UserID("rob"), acl.UserID("rita"), acl.UserID("nate")},
		reflect.TypeFor[acl.Grant]():         {acl.Grant{User: "rob", Access: acl.ReadOnly}},
		reflect.TypeFor[*acl.Facts]():        {(*acl.Facts)(nil)},
		reflect.TypeFor[inbox.Watch]():       {inbox.Watch{Events: everyEvent}, inbox.Watch{Events: everyEvent, Private: true}},
		reflect.TypeFor[inbox.SiteWatch]():   {inbox.SiteWatch{Events: everyEvent}, inbox.SiteWatch{Events: everyEvent, Content: true}},
		reflect.TypeFor[bool]():              {false, true},
		reflect.TypeFor[int]():               {0},
		reflect.TypeFor[string]():            {"https://host.example/back", "1", "2", "3"}, // also the paths of parts
		reflect.TypeFor[time.Time]():         {w.clock()},
		reflect.TypeFor[inbox.Disposal]():    {inbox.KeepMail, inbox.PurgeMail},
		reflect.TypeFor[htmlsafe.Options]():  {htmlsafe.Options{}},
		reflect.TypeFor[filter.Rules]():      {filter.Rules{Mode: filter.ClientAssociated}},
		reflect.TypeFor[*filter.Rules]():     {(*filter.Rules)(nil), &filter.Rules{Mode: filter.All}},
		reflect.TypeFor[inbox.Return]():      {inbox.Return{State: "state", Code: "a@firm.example"}},
		reflect.TypeFor[inbox.Draft]():       {inbox.Draft{Provider: "fake", Name: "New"}},
		reflect.TypeFor[inbox.Edit]():        {inbox.Edit{Name: new("New")}},
		reflect.TypeFor[inbox.CompanyEdit](): {inbox.CompanyEdit{Name: "New", Domains: []string{"new.example"}}},
		reflect.TypeFor[inbox.CompanyQuery](): {inbox.CompanyQuery{},
			inbox.CompanyQuery{Site: elsewhere, Deleted: true}},
		reflect.TypeFor[inbox.Query]():        {inbox.Query{}, inbox.Query{Site: elsewhere, States: everyState}},
		reflect.TypeFor[ticket.Status]():      {ticket.OnHold},
		reflect.TypeFor[ticket.Resolution]():  {ticket.ResolutionSent, ticket.ResolutionSendAgain},
		reflect.TypeFor[ticket.Doing]():       {ticket.Viewing, ticket.Doing("")},
		reflect.TypeFor[ticket.Edit]():        {ticket.Edit{Status: new(ticket.Solved), AddTags: []string{"vip"}, Fields: map[string][]string{"size": {"x"}}}},
		reflect.TypeFor[ticket.Reply]():       {ticket.Reply{Text: "hello", All: true}},
		reflect.TypeFor[ticket.DraftFileID](): {w.file},
		reflect.TypeFor[ticket.DraftFile]():   {ticket.DraftFile{Name: "a.txt", Type: "text/plain", ID: w.file}},
		reflect.TypeFor[ticket.TaskID]():      {w.task},
		reflect.TypeFor[ticket.NewTask]():     {ticket.NewTask{Target: "work"}},
		reflect.TypeFor[ticket.Start](): {ticket.Start{To: []rfc822.Address{{Address: "ann@acme.example"}},
			Subject: "New", Text: "hello"}},
		reflect.TypeFor[ticket.Draft]():        {ticket.Draft{Kind: ticket.EntryReplied, Text: "hello"}},
		reflect.TypeFor[ticket.Catalog]():      {w.catalog()},
		reflect.TypeFor[inbox.CustomerEdit]():  {inbox.CustomerEdit{Name: "New", Address: "new@new.example"}},
		reflect.TypeFor[inbox.CustomerQuery](): {inbox.CustomerQuery{}, inbox.CustomerQuery{Site: elsewhere, Deleted: true}},
	}
	words := slices.DeleteFunc(slices.Sorted(maps.Keys(w.secrets)), func(word string) bool { return !strings.HasPrefix(word, "zq") })
	add := func(v any) { args[reflect.TypeOf(v)] = append(args[reflect.TypeOf(v)], v) }
	for _, id := range w.ids.inboxes {
		add(inbox.MessageQuery{Inbox: id, Hidden: true})
		add(inbox.CustomerQuery{Visible: []inbox.ID{id}})
		add(ticket.Forward{Inbox: id, Text: "hello", To: []rfc822.Address{{Address: "lawyer@other.example"}}})
		for _, deleted := range []bool{false, true} {
			add(ticket.Query{Site: elsewhere, Inboxes: []inbox.ID{id}, HiddenIn: []inbox.ID{id}, AllHidden: true,
				Deleted: deleted, Merged: true, Unread: map[bool]acl.UserID{true: "carl"}[deleted]})
		}
	}
	add(ticket.Query{AllHidden: true})
	for _, id := range w.ids.tickets {
		add([]ticket.ID{id})
	}
	for _, word := range words {
		add(ticket.SearchQuery{Text: word, Filter: ticket.Query{AllHidden: true, HiddenIn: w.ids.inboxes}})
		add(ticket.SearchQuery{Text: word, Filter: ticket.Query{Deleted: true}})
		if strings.HasSuffix(word, "address") {
			for _, at := range []string{"@acme.example", "@private.example"} {
				add(inbox.CustomerEdit{Name: "New", Address: word + at})
				add(inbox.CustomerQuery{Address: word + at})
			}
		}
	}
	return args
}

func (w *leakWorld) catalog() ticket.Catalog {
	w.t.Helper()
	c, err := w.store.Catalog(w.t.Context(), site)
	require.NoError(w.t, err)
	return c
}

var everyState = []inbox.State{inbox.StateDraft, inbox.StateConnecting, inbox.StateImporting, inbox.StateActive,
	inbox.StatePaused, inbox.StateNeedsReauth, inbox.StateDisconnected, inbox.StateDeleted}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// made returns the values a parameter of this type is tried with: those given, or else values made of
// them field by field, so that a new kind of query or edit is tried with the ids there are.
func made(typ reflect.Type, args map[reflect.Type][]any) []reflect.Value {
	if given, ok := args[typ]; ok {
		out := make([]reflect.Value, len(given))
		for i, v := range given {
			out[i] = reflect.ValueOf(v)
		}
		return out
	}
	switch typ.Kind() {
	case reflect.Struct:
		return madeStruct(typ, args)
	case reflect.Slice:
		all := reflect.MakeSlice(typ, 0, 0)
		return []reflect.Value{reflect.Append(all, made(typ.Elem(), args)...)}
	case reflect.Pointer:
		out := []reflect.Value{reflect.Zero(typ)}
		for _, v := range made(typ.Elem(), args) {
			p := reflect.New(typ.Elem())
			p.Elem().Set(v)
			out = append(out, p)
		}
		return out
	case reflect.String:
		return []reflect.Value{reflect.ValueOf("something").Convert(typ)}
	}
	if typ == reflect.TypeFor[io.Reader]() {
		return []reflect.Value{reflect.ValueOf(strings.NewReader("something"))}
	}
	return []reflect.Value{reflect.Zero(typ)}
}

// madeStruct makes as many values as its field with the most values has, one id of each kind in each.
func madeStruct(typ reflect.Type, args map[reflect.Type][]any) []reflect.Value {
	out := []reflect.Value{}
	for n := 0; n == 0 || n < len(out); n++ {
		v := reflect.New(typ).Elem()
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() || f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Slice {
				continue
			}
			if values := made(f.Type, args); len(values) > 0 {
				v.Field(i).Set(values[n%len(values)])
				for len(out) < len(values) {
					out = append(out, reflect.Value{})
				}
			}
		}
		if n == len(out) {
			return append(out, v)
		}
		out[n] = v
	}
	return out
}

// calls returns the argument lists a method is called with: every value of each parameter with every
// value of the others. An entry is named with its own ticket and with one other.
func (w *leakWorld) calls(method reflect.Type, args map[reflect.Type][]any) [][]reflect.Value {
	lists := [][]reflect.Value{{}}
	for i := 2; i < method.NumIn(); i++ {
		var next [][]reflect.Value
		for _, list := range lists {
			for _, v := range made(method.In(i), args) {
				next = append(next, append(slices.Clone(list), v))
			}
		}
		lists = next
	}
	other := make(map[ticket.EntryID]bool)
	return slices.DeleteFunc(lists, func(list []reflect.Value) bool {
		var of ticket.ID
		for _, v := range list {
			var entry ticket.EntryID
			switch v := v.Interface().(type) {
			case ticket.ID:
				of = v
				continue
			case ticket.EntryID:
				entry = v
			case ticket.Split:
				entry = v.Entry
			default:
				continue
			}
			if of == "" || of == w.ids.ticketOf[entry] {
				continue
			}
			if other[entry] {
				return true
			}
			other[entry] = true
		}
		return false
	})
}
