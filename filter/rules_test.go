package filter_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

// stored writes rules as a store does and reads them again.
func stored(t testing.TB, r filter.Rules) (out filter.Rules) {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &out), "%s", text)
	return out
}
