package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFourStepsOverTheTestServer(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, run(t.Context(), strings.NewReader(""), &out))
	require.Contains(t, out.String(), "Of 120 mails 120 are stored. What ravi sees:\n")
	require.Equal(t, 11, strings.Count(out.String(), "\n"), "a line for each of ten tickets: %s", out.String())
}
