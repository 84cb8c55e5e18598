package oauth_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// jwt is an id token with that payload, unsigned.
func jwt(payload string) oauth.Token {
	b := base64.RawURLEncoding
	return oauth.Token{ID: oauth.NewSecret(
		b.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b.EncodeToString([]byte(payload)) + ".c2ln")}
}

const (
	google    = "https://accounts.google.com"
	microsoft = "https://login.microsoftonline.com/{tenantid}/v2.0"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	c := &oauth.Client{ID: "client-1", Issuers: []string{google, "accounts.google.com", microsoft}}
	for _, k := range []struct {
		name, payload string
		want          oauth.Identity
	}{
		{"Google", `{"iss":"https://accounts.google.com","aud":"client-1","azp":"client-1","sub":"110248495921238986420",` +
			`"email":"ann@acme.com","email_verified":true,"exp":EXP}`,
			oauth.Identity{Issuer: google, Subject: "110248495921238986420", Email: "ann@acme.com", Verified: true}},
		{"Google, short issuer, truth as text", `{"iss":"accounts.google.com","aud":["client-1"],"sub":"1","email_verified":"true","exp":EXP.5}`,
			oauth.Identity{Issuer: "accounts.google.com", Subject: "1", Verified: true}},
		{"Microsoft", `{"iss":"https://login.microsoftonline.com/t-1/v2.0","aud":"client-1","sub":"s","tid":"t-1","oid":"o-1","preferred_username":"ann@acme.com","exp":EXP}`,
			oauth.Identity{Issuer: "https://login.microsoftonline.com/t-1/v2.0", Subject: "s", Tenant: "t-1", Object: "o-1", Username: "ann@acme.com"}},
		{"two audiences and who asked (OpenID Connect Core 3.1.3.7)", `{"iss":"accounts.google.com","aud":["client-1","other"],"azp":"client-1","sub":"1","exp":EXP}`,
			oauth.Identity{Issuer: "accounts.google.com", Subject: "1"}},
	} {
		got, err := c.Identity(jwt(withExp(k.payload, time.Now().Add(time.Hour))))
		require.NoError(t, err, k.name)
		require.Equal(t, k.want, got, k.name)
	}
}

// withExp puts an expiry in the place of EXP.
func withExp(payload string, at time.Time) string {
	return strings.ReplaceAll(payload, "EXP", strconv.FormatInt(at.Unix(), 10))
}

func TestIdTokenThatIsNotOurs(t *testing.T) {
	t.Parallel()
	c := &oauth.Client{ID: "client-1", Issuers: []string{google, microsoft}}
	for _, k := range []struct{ name, payload string }{
		{"no subject", `{"iss":"https://accounts.google.com","aud":"client-1","exp":EXP}`},
		{"another issuer", `{"iss":"https://evil.test","aud":"client-1","sub":"1","exp":EXP}`},
		{"no issuer", `{"aud":"client-1","sub":"1","exp":EXP}`},
		{"another tenant's issuer", `{"iss":"https://login.microsoftonline.com/t-2/v2.0","tid":"t-1","aud":"client-1","sub":"1","exp":EXP}`},
		{"the template itself", `{"iss":"https://login.microsoftonline.com/{tenantid}/v2.0","tid":"t-1","aud":"client-1","sub":"1","exp":EXP}`},
		{"another client", `{"iss":"https://accounts.google.com","aud":"client-2","sub":"1","exp":EXP}`},
		{"no client", `{"iss":"https://accounts.google.com","sub":"1","exp":EXP}`},
		{"asked for by another", `{"iss":"https://accounts.google.com","aud":"client-1","azp":"client-2","sub":"1","exp":EXP}`},
		{"two audiences, nobody asked", `{"iss":"https://accounts.google.com","aud":["client-1","x"],"sub":"1","exp":EXP}`},
		{"claims in capitals (RFC 7519 10.1.1)", `{"iss":"https://accounts.google.com","aud":"client-1","SUB":"1","exp":EXP}`},
		{"subject of another type", `{"iss":"https://accounts.google.com","aud":"client-1","sub":1,"exp":EXP}`},
	} {
		_, err := c.Identity(jwt(withExp(k.payload, time.Now().Add(time.Hour))))
		require.Error(t, err, k.name)
		require.NotContains(t, err.Error(), "evil", k.name)
	}
	for _, k := range []struct{ name, token string }{
		{"none", ""}, {"two parts", "a.b"}, {"five parts", "a.b.c.d.e"}, {"padding", "e30.e30=.c2ln"},
		{"standard alphabet", "e30.+/+/.c2ln"}, {"no JSON", "e30.e30x.c2ln"}, {"null", "e30.bnVsbA.c2ln"}, {"list", "e30.W10.c2ln"},
	} {
		_, err := c.Identity(oauth.Token{ID: oauth.NewSecret(k.token)})
		require.ErrorContains(t, err, "id token", k.name)
	}
	_, err := (&oauth.Client{ID: "client-1"}).Identity(jwt(withExp(
		`{"iss":"https://accounts.google.com","aud":"client-1","sub":"1","exp":EXP}`, time.Now().Add(time.Hour))))
	require.ErrorContains(t, err, "somebody else", "no issuer is configured")
}

func TestIdTokenExpires(t *testing.T) {
	t.Parallel()
	c := &oauth.Client{ID: "client-1", Issuers: []string{google}}
	const payload = `{"iss":"https://accounts.google.com","aud":"client-1","sub":"1","exp":EXP}`
	synctest.Test(t, func(t *testing.T) {
		for _, k := range []struct {
			name string
			off  time.Duration
			ok   bool
		}{
			{"lives", time.Hour, true}, {"clocks differ", -4 * time.Minute, true}, {"expired", -5 * time.Minute, false},
		} {
			_, err := c.Identity(jwt(withExp(payload, time.Now().Add(k.off))))
			require.Equal(t, k.ok, err == nil, k.name)
		}
	})
	for _, exp := range []string{``, `,"exp":"soon"`, `,"exp":-1`, `,"exp":1e300`, `,"exp":null`} {
		_, err := c.Identity(jwt(`{"iss":"https://accounts.google.com","aud":"client-1","sub":"1"` + exp + `}`))
		require.ErrorContains(t, err, "expired", exp)
	}
}

func FuzzIdentity(f *testing.F) {
	good := jwt(`{"iss":"https://accounts.google.com","aud":["client-1"],"sub":"1","exp":99999999999}`)
	f.Add(good.ID.Reveal())
	f.Add("e30.bnVsbA.c2ln")
	f.Add("..")
	c := &oauth.Client{ID: "client-1", Issuers: []string{google}}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := c.Identity(oauth.Token{ID: oauth.NewSecret(token)})
		if err != nil {
			require.Equal(t, oauth.Identity{}, id)
			return
		}
		require.NotEmpty(t, id.Subject)
		require.Equal(t, google, id.Issuer)
	})
}
