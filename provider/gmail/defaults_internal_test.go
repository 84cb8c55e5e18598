package gmail

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMailboxesOfOneAccountShareAGate(t *testing.T) {
	t.Parallel()
	p, err := New(Options{ClientID: "id", ClientSecret: "s"})
	require.NoError(t, err)
	require.Same(t, p.gate("1"), p.gate("1"))
	require.NotSame(t, p.gate("1"), p.gate("2"))
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	p, err := New(Options{ClientID: "id", ClientSecret: "s", Endpoints: Endpoints{API: "https://mail.cloud.example"}})
	require.NoError(t, err)
	require.Equal(t, 50, p.o.PageSize)
	require.Equal(t, 1_500, p.o.MaxQuery)
	require.Equal(t, NewProject(), p.o.Quota)
	require.Equal(t, "https://mail.cloud.example/", p.o.Endpoints.API)
	require.Equal(t, "https://oauth2.googleapis.com/token", p.o.Endpoints.Token)

	some := Quota{InFlight: 30}.filled()
	require.Equal(t, 30, some.MaxFlight)
	require.Zero(t, some.PerMinute, "no limit")
	require.Equal(t, NewProject().Prices, some.Prices)
	require.Equal(t, 15_000, LegacyProject().gate(nil).PerMinute)
	require.Equal(t, 1, LegacyProject().gate(nil).ReserveSlots)
	require.Zero(t, Quota{InFlight: 1, Interactive: 0.5}.gate(nil).ReserveSlots)
}
