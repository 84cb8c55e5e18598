package gate_test

import (
	"context"
	"testing"

	"golang.org/x/sync/semaphore"

	"github.com/workinbox/workinbox/provider/internal/gate"
)

// BenchmarkDo is what the gate costs a call that need not wait.
func BenchmarkDo(b *testing.B) {
	limits := gate.Config{PerMinute: 1 << 50, PerSecond: 1 << 50, Slots: 8, MaxSlots: 20, Reserve: 0.1, ReserveSlots: 1}
	places := limits
	places.PerSecond = 0
	for _, bb := range []struct {
		name string
		c    gate.Config
	}{{"minute, second and slots", limits}, {"minute and slots", places}, {"slots", gate.Config{Slots: 8}}} {
		b.Run(bb.name, func(b *testing.B) {
			g, ctx := gate.New(bb.c), b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if err := g.Do(ctx, gate.Bulk, 20, works); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("bare semaphore", func(b *testing.B) {
		s, ctx := semaphore.NewWeighted(8), b.Context()
		b.ReportAllocs()
		for b.Loop() {
			if err := bare(ctx, s, works); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func bare(ctx context.Context, s *semaphore.Weighted, call func(context.Context) error) error {
	if err := s.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.Release(1)
	return call(ctx)
}
