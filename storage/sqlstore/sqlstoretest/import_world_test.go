package sqlstoretest_test

import (
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest/importtest"
)

// What tests of processes that import share with those of one import.
const (
	importSite    = importtest.Site
	gmailInFlight = 10 // calls under way at once
)

func envInt(name string, def int) int { return importtest.EnvInt(name, def) }

func gmailEndpoints(s *gmailtest.Server) gmail.Endpoints {
	e := s.Endpoints()
	return gmail.Endpoints{Auth: e.AuthURL, Token: e.TokenURL, Revoke: e.RevokeURL, API: e.APIURL}
}
