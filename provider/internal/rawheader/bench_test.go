package rawheader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/rawheader"
	"github.com/workinbox/workinbox/provider/mailgen"
)

func BenchmarkFill(b *testing.B) {
	m, err := mailgen.New(mailgen.Config{Seed: 1, Messages: 200})
	require.NoError(b, err)
	var raws []string
	for msg := range m.Oldest() {
		raws = append(raws, string(msg.Raw))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var h provider.Header
		if _, err := rawheader.Fill(&h, strings.NewReader(raws[i%len(raws)])); err != nil {
			b.Fatal(err)
		}
	}
}
