package inbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/storage/memory"
)

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	store, host, mail := memory.New(), memory.NewHost(), fake.New(fake.Options{})
	for want, take := range map[string]func(*inbox.Config){
		"Config.Store is required":     func(c *inbox.Config) { c.Store = nil },
		"Config.Vault is required":     func(c *inbox.Config) { c.Vault = nil },
		"Config.Blobs is required":     func(c *inbox.Config) { c.Blobs = nil },
		"Config.People is required":    func(c *inbox.Config) { c.People = nil },
		"Config.Sites is required":     func(c *inbox.Config) { c.Sites = nil },
		"Config.Providers is required": func(c *inbox.Config) { c.Providers = nil },
		"Config.Providers[1] is nil":   func(c *inbox.Config) { c.Providers = append(c.Providers, nil) },
		`two providers of kind "fake"`: func(c *inbox.Config) { c.Providers = append(c.Providers, mail) },
	} {
		c := inbox.Config{Store: store, Vault: store, Blobs: store, People: host, Sites: host, Providers: []provider.Provider{mail}}
		_, err := inbox.New(c)
		require.NoError(t, err)
		take(&c)
		_, err = inbox.New(c)
		require.ErrorContains(t, err, want)
	}
}
