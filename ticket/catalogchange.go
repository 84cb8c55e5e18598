package ticket

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/inbox"
)

// maxLabels bounds each list of a catalog.
const maxLabels = 1000

var labelColor = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// catalogChange is one saving of a catalog.
type catalogChange struct {
	now   time.Time
	newID func() string
	known map[inbox.ID]bool // the inboxes whoever saves it may know of
	rows  map[place]row
	wrong []error
}

// place is where a label is: its list, and the code it has in there.
type place struct{ list, code string }

// row is where a label was in the list that was handed over.
type row struct {
	n    int
	made bool // its code is new
}

// apply returns what is to be stored when to is saved over from.
func (ch *catalogChange) apply(from, to *Catalog) Catalog {
	next := Catalog{Site: from.Site, Version: from.Version}
	next.Statuses = ch.labels("statuses", from.Statuses, to.Statuses, builtInStatuses)
	next.Priorities = ch.labels("priorities", from.Priorities, to.Priorities, nil)
	next.Sources = ch.labels("sources", from.Sources, to.Sources, builtInSources)
	next.Tags = ch.labels("tags", from.Tags, to.Tags, nil)

	next.Types = replaced(ch, "types", from.Types, to.Types)
	for i := range next.Types {
		t, old := &next.Types[i], new(Scope)
		if before := find(from.Types, t.Code); before != nil {
			old = &before.Scope
		}
		ch.scope("types", &t.Label, &t.Scope, old)
	}
	next.Fields = replaced(ch, "fields", from.Fields, to.Fields)
	for i := range next.Fields {
		f, old := &next.Fields[i], new(Scope)
		before := find(from.Fields, f.Code)
		if before != nil {
			old = &before.Scope
		}
		ch.scope("fields", &f.Label, &f.Scope, old)
		ch.field(f, before)
	}
	return next
}

// labels is replaced for a list of nothing but labels, some of which are built in.
func (ch *catalogChange) labels(list string, from, to, builtIn []Label) []Label {
	for _, b := range builtIn {
		if have := find(to, b.Code); have == nil || *have != b {
			ch.fault(list, &b, CatalogBuiltIn)
		}
	}
	return replaced(ch, list, from, to)
}

// labelled is what a list of a catalog is made of.
type labelled[T any] interface {
	*T
	label() *Label
}

// find returns the element with that code, or nil.
func find[T any, P labelled[T]](in []T, code string) P {
	for i := range in {
		if p := P(&in[i]); p.label().Code == code {
			return p
		}
	}
	return nil
}

// replaced returns the list to, checked, with codes, and with what is in from alone retired behind it.
func replaced[T any, P labelled[T]](ch *catalogChange, list string, from, to []T) []T {
	next := slices.Clone(to)
	live := 0
	codes, names := make(map[string]bool, len(to)), make(map[string]bool, len(to))
	for i := range next {
		label := P(&next[i]).label()
		label.Name = strings.TrimSpace(label.Name)
		label.Color = strings.ToLower(label.Color)
		at := row{n: i, made: label.Code == ""}
		if at.made {
			label.Code = ch.newID()
		}
		if ch.rows == nil {
			ch.rows = make(map[place]row)
		}
		ch.rows[place{list, label.Code}] = at
		ch.checkLabel(list, label)
		if codes[label.Code] {
			ch.fault(list, label, CatalogCodeTwice)
		}
		codes[label.Code] = true
		if label.Retired {
			continue
		}
		if live++; live > maxLabels {
			ch.fault(list, label, CatalogTooMany)
			return next
		}
		if name := strings.ToLower(label.Name); names[name] {
			ch.fault(list, label, CatalogNameTwice)
		} else {
			names[name] = true
		}
	}
	for i := range from {
		if gone := from[i]; !codes[P(&gone).label().Code] {
			P(&gone).label().Retired = true
			next = append(next, gone)
		}
	}
	return next
}

func (ch *catalogChange) checkLabel(list string, l *Label) {
	if !inbox.IsCode(l.Code) {
		ch.fault(list, l, CatalogBadCode)
	}
	if l.Name == "" || !inbox.OneLine(l.Name) {
		ch.fault(list, l, CatalogBadName)
	}
	if l.Color != "" && !labelColor.MatchString(l.Color) {
		ch.fault(list, l, CatalogBadColor)
	}
	if !inbox.OneLine(l.Icon) {
		ch.fault(list, l, CatalogBadIcon)
	}
}

func (ch *catalogChange) fault(list string, l *Label, why CatalogReason) {
	e := &CatalogError{List: list, Code: l.Code, Name: l.Name, Row: -1, Reason: why}
	if at, there := ch.rows[place{list, l.Code}]; there {
		e.Row = at.n
		if at.made {
			e.Code = ""
		}
	}
	ch.wrong = append(ch.wrong, e)
}

// scope checks where something is to be offered. Inboxes that whoever saves it may not know of stay as
// they were, and nobody can add one: that would tell whether it exists.
func (ch *catalogChange) scope(list string, l *Label, sc, old *Scope) {
	sc.Elsewhere = 0
	if !sc.Limited {
		*sc = Scope{}
		return
	}
	var next []inbox.ID
	for _, id := range sc.Inboxes {
		switch {
		case slices.Contains(next, id) || slices.Contains(old.Inboxes, id) && !ch.known[id]:
		case !ch.known[id]:
			ch.fault(list, l, CatalogNoInbox)
		default:
			next = append(next, id)
		}
	}
	for _, id := range old.Inboxes {
		if !ch.known[id] {
			next = append(next, id)
		}
	}
	sc.Inboxes = next
	switch {
	case !sc.Future:
		sc.Since = time.Time{}
	case old.Limited && old.Future:
		sc.Since = old.Since
	default:
		sc.Since = ch.now
	}
}

// tagEvents says which tags came, changed and went (RULES 10).
func (ch *catalogChange) tagEvents(from, to []Label) (ev []inbox.Event) {
	for i := range to {
		var name inbox.EventName
		switch old := find(from, to[i].Code); {
		case to[i].Retired && (old == nil || old.Retired):
			continue
		case to[i].Retired:
			name = EventTagDeleted
		case old == nil || old.Retired:
			name = EventTagCreated
		case *old != to[i]:
			name = EventTagEdited
		default:
			continue
		}
		ev = append(ev, inbox.Event{Name: name, Facts: map[string]string{"tag": to[i].Code}})
	}
	return ev
}
