package memory_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
	"github.com/workinbox/workinbox/storage/memory"
)

func TestHostKeepsPeopleBySite(t *testing.T) {
	t.Parallel()
	h := memory.NewHost()
	ann := inbox.Person{ID: "ann", Site: "acme", Role: acl.Owner, Addresses: []string{"ann@example.com"}}
	h.AddPerson(ann)
	h.AddPerson(inbox.Person{ID: "bob", Site: "acme", Role: acl.Agent})
	h.AddPerson(inbox.Person{ID: "ann", Site: "other", Role: acl.Agent})
	ann.Addresses[0] = "changed"

	got, err := h.Person(t.Context(), "acme", "ann")
	require.NoError(t, err)
	require.Equal(t, acl.Owner, got.Role)
	require.Equal(t, []string{"ann@example.com"}, got.Addresses,
		"addresses after the caller changed its own")

	h.AddPerson(inbox.Person{ID: "ann", Site: "acme", Role: acl.Admin})
	h.RemovePerson("acme", "bob")
	h.RemovePerson("nobody", "bob")
	_, err = h.Person(t.Context(), "acme", "bob")
	require.ErrorIs(t, err, storage.ErrNotFound)
	var roles []acl.Role
	for p, err := range h.People(t.Context(), "acme") {
		require.NoError(t, err)
		roles = append(roles, p.Role)
		h.AddPerson(p) // the caller may write inside the loop
	}
	require.Equal(t, []acl.Role{acl.Admin}, roles)
}

func TestHostPeopleEndWithTheContext(t *testing.T) {
	t.Parallel()
	h := memory.NewHost()
	h.AddPerson(inbox.Person{ID: "ann", Site: "acme"})
	h.AddPerson(inbox.Person{ID: "bob", Site: "acme"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for _, err := range h.People(ctx, "acme") {
		cancel()
		n++
		last = err
	}
	require.Equal(t, 2, n, "one person and the error")
	require.ErrorIs(t, last, context.Canceled)
	for range h.People(t.Context(), "acme") {
		break
	}
}

func TestHostKeepsSettings(t *testing.T) {
	t.Parallel()
	h := memory.NewHost()
	_, err := h.Site(t.Context(), "acme")
	require.ErrorIs(t, err, storage.ErrNotFound)
	st := inbox.Settings{ID: "acme", Features: []string{"sending"}}
	h.SetSite(st)
	st.Features[0] = "changed"
	got, err := h.Site(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, []string{"sending"}, got.Features, "features after the caller changed its own")
}
