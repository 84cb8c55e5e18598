package memory

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
)

func TestCloneSharesNothingAndCutsTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 10, 0, 0, 1234567, time.FixedZone("east", 3600))
	want := time.Date(2026, 3, 2, 9, 0, 0, 1234000, time.UTC)
	in := inbox.Inbox{
		CreatedAt: at,
		Consent:   &inbox.PendingConsent{Expires: at},
		Revisions: []filter.Revision{{At: at, Rules: filter.Rules{
			Exclude: []filter.Exclusion{{Address: "x@example.com"}},
			Classes: map[filter.Class]filter.ClassPolicy{filter.Bulk: filter.PolicyReject},
		}}},
	}
	out := clone(in)
	require.Equal(t, want, out.CreatedAt, "time of %v", at)
	require.Equal(t, want, out.Consent.Expires, "time behind a pointer")
	require.Equal(t, want, out.Revisions[0].At, "time in a list")
	require.Equal(t, at, in.Revisions[0].At, "what was copied keeps its own")

	out.Consent.User = "bob"
	out.Revisions[0].Rules.Exclude[0].Address = "y@example.com"
	out.Revisions[0].Rules.Classes[filter.Bulk] = filter.PolicyAccept
	require.Empty(t, in.Consent.User)
	require.Equal(t, "x@example.com", in.Revisions[0].Rules.Exclude[0].Address)
	require.Equal(t, filter.PolicyReject, in.Revisions[0].Rules.Classes[filter.Bulk])
	require.Nil(t, out.Watches, "a nil list stays nil")
}
