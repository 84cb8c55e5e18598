//go:build unix

package importtest_test

import (
	"context"
	"os"
	"testing"

	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

func TestMain(m *testing.M) {
	os.Exit(importtest.Main(m, func(ctx context.Context, j importtest.Job) error { return j.Import(ctx) }))
}
