package storagetest

import (
	"context"
	"fmt"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/ticket"
)

var allowanceChecks = []check[ticket.Store]{
	{"Allowances/RoundTrip", checkAllowanceRoundTrip},
	{"Allowances/CompareAndSet", checkAllowanceVersions},
	{"Allowances/PeopleApart", checkAllowancePeople},
	{"Allowances/AreCopies", checkAllowanceCopies},
	{"Allowances/ExactlyOneWins", checkAllowanceRace},
}

func allowanceOf(b *tickets, site inbox.SiteID, user acl.UserID) ticket.Allowance {
	b.Helper()
	a, err := b.s.Allowance(b.Context(), site, user)
	ok(b, fmt.Sprintf("allowance of %q", user), err)
	return a
}

// fullAllowance is that of pat of acme with something in every field.
func fullAllowance() ticket.Allowance {
	a := full[ticket.Allowance]("allowance")
	a.Site, a.User, a.Version = acme, "pat", 0
	return a
}

func checkAllowanceRoundTrip(b *tickets) {
	equal(b, "allowance before the first", allowanceOf(b, acme, "pat"), ticket.Allowance{Site: acme, User: "pat"})
	a := fullAllowance()
	for version := storage.Version(1); version <= 2; version++ {
		saved, err := b.s.SaveAllowance(b.Context(), a)
		ok(b, "save allowance", err)
		a.Version = version
		equal(b, "saved allowance", saved, a)
		equal(b, fmt.Sprintf("allowance of version %d", version), allowanceOf(b, acme, "pat"), a)
		a = ticket.Allowance{Site: acme, User: "pat", Version: version} // everything that can be empty
	}
}

func checkAllowanceVersions(b *tickets) {
	absent := fullAllowance()
	absent.Version = 1
	_, err := b.s.SaveAllowance(b.Context(), absent)
	refused(b, "save version 1 of an allowance that is not there", err, storage.ErrConflict)
	equal(b, "allowance after a refused write", allowanceOf(b, acme, "pat"), ticket.Allowance{Site: acme, User: "pat"})
	one, err := b.s.SaveAllowance(b.Context(), fullAllowance())
	ok(b, "save allowance", err)
	two, err := b.s.SaveAllowance(b.Context(), one)
	ok(b, "save allowance again", err)
	for _, v := range []storage.Version{0, 1, 3} {
		_, err := b.s.SaveAllowance(b.Context(), ticket.Allowance{Site: acme, User: "pat", Version: v})
		refused(b, fmt.Sprintf("save an allowance of version 2 over version %d", v), err, storage.ErrConflict)
	}
	equal(b, "allowance after refused writes", allowanceOf(b, acme, "pat"), two)
}

func checkAllowancePeople(b *tickets) {
	type who struct {
		site inbox.SiteID
		user acl.UserID
	}
	all := []who{{acme, "pat"}, {acme, "PAT"}, {acme, "pam"}, {other, "pat"}}
	for _, w := range all {
		a := ticket.Allowance{Site: w.site, User: w.user, Uses: []ticket.Use{{Ticket: ticket.ID(w.site) + ticket.ID(w.user), At: at(1)}}}
		_, err := b.s.SaveAllowance(b.Context(), a)
		ok(b, "save allowance", err)
	}
	for _, w := range all {
		got := allowanceOf(b, w.site, w.user)
		if len(got.Uses) != 1 || got.Uses[0].Ticket != ticket.ID(w.site)+ticket.ID(w.user) {
			b.Errorf("allowance of %q of %q: got uses %v", w.user, w.site, got.Uses)
		}
	}
}

// checkAllowanceCopies changes what it gave and what it got, and looks again.
func checkAllowanceCopies(b *tickets) {
	a := fullAllowance()
	saved, err := b.s.SaveAllowance(b.Context(), a)
	ok(b, "save allowance", err)
	scramble(&a)
	scramble(&saved)
	want := fullAllowance()
	want.Version = 1
	for range 2 {
		got := allowanceOf(b, acme, "pat")
		equal(b, "allowance after what was given or read is changed", got, want)
		scramble(&got)
	}
}

func checkAllowanceRace(b *tickets) {
	for version := storage.Version(0); version < 2; version++ {
		winner := race(b, fmt.Sprintf("SaveAllowance over version %d", version), storage.ErrConflict,
			func(ctx context.Context, i int) error {
				_, err := b.s.SaveAllowance(ctx, ticket.Allowance{Site: acme, User: "pat", Version: version,
					Uses: []ticket.Use{{Ticket: ticket.ID(fmt.Sprint(i)), At: at(1)}}})
				return err
			})
		got := allowanceOf(b, acme, "pat")
		if len(got.Uses) != 1 || got.Uses[0].Ticket != ticket.ID(fmt.Sprint(winner)) || got.Version != version+1 {
			b.Errorf("allowance after a race: got %+v, want that of writer %d, of version %d", got, winner, version+1)
		}
	}
}
