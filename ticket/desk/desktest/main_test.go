package desktest_test

import (
	"os"
	"testing"

	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

func TestMain(m *testing.M) { os.Exit(sqlstoretest.Main(m)) }
