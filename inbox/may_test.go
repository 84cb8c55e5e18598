package inbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage"
)

func TestMayAnswersSeveralActionsAtOnce(t *testing.T) { // R-ACL-07, R-ACL-09
	t.Parallel()
	w := newWorld(t, fake.Options{})
	in := w.open(true, filter.Rules{}, acl.Grant{User: "rita", Access: acl.ReadOnly})
	ds, err := w.svc.May(t.Context(), w.actor("rita"), in.ID, acl.ViewTickets, acl.Reply, acl.AddNote)
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true}, []bool{ds[0].Allowed, ds[1].Allowed, ds[2].Allowed})
	require.Equal(t, acl.ReasonNeedsReply, ds[1].Reason)
	_, err = w.svc.May(t.Context(), w.actor("adam"), in.ID, acl.ViewTickets)
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func TestClientWhoWritesThroughAListBecomesACustomer(t *testing.T) { // R-FLT-06, R-CUS-01
	t.Parallel()
	w := newWorld(t, fake.Options{})
	acme := w.client("Acme", "acme.com")
	w.mailFrom("Ann <ann@acme.com>", "on the list", 2, "List-Id: <dev.lists.example>", "Precedence: list")
	w.mailFrom("news@shop.org", "newsletter", 1, "List-Id: <news.shop.org>", "Precedence: bulk")
	in := w.open(true, filter.Rules{Mode: filter.All})
	w.sync(in.ID)
	ms := w.messages(in.ID)
	require.Equal(t, "on the list", ms[1].Subject)
	require.NotEmpty(t, ms[1].Customer)
	require.Equal(t, acme.ID, ms[1].Company)
	require.Empty(t, ms[0].Customer, "a stranger's newsletter makes nobody known")
}
