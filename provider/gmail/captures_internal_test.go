package gmail

import (
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
	"github.com/workinbox/workinbox/provider/internal/gate"
)

// Answers recorded from the live service (their source stands in the LICENSE.note beside them).
func TestRecordedErrorsMapToTheirDecision(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		status int
		want   error
	}{
		"unauthorized.json": {401, provider.ErrAuth},
		"forbidden.json":    {403, provider.ErrInsufficientScope},
		"history_gone.json": {404, provider.ErrGone},
	} {
		text, err := os.ReadFile("gmailtest/testdata/captures/error/" + file)
		require.NoError(t, err)
		require.ErrorIs(t, repeatable(t.Context(), "messages.get", refusedWith(t, c.status, string(text))), c.want, file)
	}
	text, err := os.ReadFile("gmailtest/testdata/captures/error/rate_limit.json")
	require.NoError(t, err)
	r, ok := errors.AsType[*gate.Refusal](repeatable(t.Context(), "messages.get",
		refusedWith(t, 403, string(text), "Date", "Sat, 18 Jul 2026 11:59:48 GMT")))
	require.True(t, ok)
	require.Equal(t, gate.Rate, r.Kind)
	require.Equal(t, 12.0, r.After.Seconds())

	text, err = os.ReadFile("gmailtest/testdata/captures/error/invalid_label.json")
	require.NoError(t, err)
	wrong := repeatable(t.Context(), "messages.list", refusedWith(t, 400, string(text)))
	require.Equal(t, http.StatusBadRequest, failure.Status(wrong))
	require.NoError(t, errors.Unwrap(wrong), "a mistake of ours is nobody's decision")
}
