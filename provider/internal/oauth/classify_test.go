package oauth_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/oauth"
)

// sentinels are the decisions a Failure can lead to.
var sentinels = []error{
	provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig, provider.ErrRetry,
	provider.ErrInsufficientScope, provider.ErrCursorExpired, provider.ErrGone, provider.ErrAmbiguous,
}

// wantOnly checks that err leads to one decision and to no other.
func wantOnly(t *testing.T, name string, err, want error) {
	t.Helper()
	require.ErrorIs(t, err, want, name)
	for _, other := range sentinels {
		if other != want {
			require.NotErrorIs(t, err, other, name)
		}
	}
	cause, ok := errors.AsType[*oauth.Error](err)
	require.True(t, ok, "%s: no cause", name)
	require.NotEmpty(t, cause.Error(), name)
}

func TestGoogle(t *testing.T) {
	t.Parallel()
	// https://developers.google.com/identity/protocols/oauth2#expiration
	const (
		expired = "Token has been expired or revoked."
		vague   = "Bad Request"
	)
	for _, c := range []struct {
		name string
		f    oauth.Failure
		want error
	}{
		{"revoked or expired", oauth.Failure{Status: 400, Code: "invalid_grant", Description: expired}, provider.ErrAuth},
		{"the same with less text", oauth.Failure{Status: 400, Code: "invalid_grant", Description: vague}, provider.ErrAuth},
		{"by the code alone", oauth.Failure{Status: 400, Code: "invalid_grant", Description: "invalid_client"}, provider.ErrAuth},
		// Workspace session control, https://support.google.com/a/answer/9368756
		{"session control", oauth.Failure{Status: 400, Code: "invalid_grant", Subtype: "invalid_rapt"}, provider.ErrAuth},
		{"session control, first time", oauth.Failure{Status: 400, Code: "invalid_grant", Subtype: "rapt_required"}, provider.ErrAuth},
		{"session control under another code", oauth.Failure{Status: 400, Code: "invalid_request", Subtype: "rapt_required"}, provider.ErrAuth},
		// https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors
		{"administrator blocks", oauth.Failure{Status: 400, Code: "admin_policy_enforced"}, provider.ErrAdminConsent},
		{"internal to another organisation", oauth.Failure{Status: 403, Code: "org_internal"}, provider.ErrAdminConsent},
		{"wrong secret", oauth.Failure{Status: 401, Code: "invalid_client"}, provider.ErrConfig},
		{"client not allowed", oauth.Failure{Status: 401, Code: "unauthorized_client"}, provider.ErrConfig},
		{"client deleted", oauth.Failure{Status: 401, Code: "deleted_client"}, provider.ErrConfig},
		{"client disabled", oauth.Failure{Status: 401, Code: "disabled_client"}, provider.ErrConfig},
		{"redirect not registered", oauth.Failure{Status: 400, Code: "redirect_uri_mismatch"}, provider.ErrConfig},
		// RFC 6749 5.2
		{"malformed", oauth.Failure{Status: 400, Code: "invalid_request"}, provider.ErrConfig},
		{"grant type", oauth.Failure{Status: 400, Code: "unsupported_grant_type"}, provider.ErrConfig},
		{"scope", oauth.Failure{Status: 400, Code: "invalid_scope"}, provider.ErrConfig},
		{"a code of tomorrow is the operator's", oauth.Failure{Status: 400, Code: "brand_new"}, provider.ErrConfig},
		{"person said no", oauth.Failure{Status: 403, Code: "access_denied"}, provider.ErrAuth},
		{"server error", oauth.Failure{Status: 500, Code: "server_error"}, provider.ErrRetry},
		{"server error said with 400", oauth.Failure{Status: 400, Code: "server_error"}, provider.ErrRetry},
		{"backend", oauth.Failure{Status: 500, Code: "internal_failure"}, provider.ErrRetry},
		{"busy", oauth.Failure{Status: 503, Code: "temporarily_unavailable"}, provider.ErrRetry},
		{"too fast", oauth.Failure{Status: 403, Code: "rate_limit_exceeded"}, provider.ErrRetry},
		{"too many requests", oauth.Failure{Status: 429}, provider.ErrRetry},
		{"a broken server says nothing of the grant", oauth.Failure{Status: 500, Code: "invalid_grant"}, provider.ErrRetry},
		{"nor of the client", oauth.Failure{Status: 429, Code: "invalid_client"}, provider.ErrRetry},
		{"proxy asks for a sign-in", oauth.Failure{Status: 407}, provider.ErrRetry},
		{"front end", oauth.Failure{Status: 404}, provider.ErrRetry},
		{"a bare 400 is not the person's fault", oauth.Failure{Status: 400}, provider.ErrRetry},
	} {
		wantOnly(t, c.name, oauth.Google(c.f), c.want)
	}
}

func TestMicrosoftNumbers(t *testing.T) {
	t.Parallel()
	// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
	for _, c := range []struct {
		code    string
		want    error
		numbers []int
	}{
		{"invalid_grant", provider.ErrAuth, []int{
			70000, 70008, 700082, 700084, 70043, 50173, 50132, 50133, 50089, 50055, 50144, 50057, 50034,
			54005, 501481, // a code used twice, a wrong verifier
		}},
		{"interaction_required", provider.ErrAuth, []int{
			50076, 50078, 50079, 50074, 50072, 50158, 53000, 53001, 53002, 53003, 53004, 53011,
		}},
		{"access_denied", provider.ErrAuth, []int{65004}},
		{"invalid_grant", provider.ErrAdminConsent, []int{90094, 90095, 50105, 650052, 650056, 650057, 50020, 500011, 700016, 700011}},
		{"invalid_client", provider.ErrAdminConsent, []int{650052, 650056}},
		{"unauthorized_client", provider.ErrAdminConsent, []int{700016, 700011}},
		{"invalid_client", provider.ErrConfig, []int{70002, 7000215, 7000222, 700027, 50011, 50194, 70001, 700025}},
		{"invalid_request", provider.ErrConfig, []int{50011, 50194}},
		{"unauthorized_client", provider.ErrConfig, []int{70001}},
		// An expired secret must not look like a dead grant, whatever the code.
		{"invalid_grant", provider.ErrConfig, []int{7000215, 7000222}},
		{"invalid_grant", provider.ErrRetry, []int{50033, 50087, 90006, 70012, 50196}},
	} {
		for _, n := range c.numbers {
			f := oauth.Failure{Status: 400, Code: c.code, Numbers: []int{n}}
			wantOnly(t, oauthText(f), oauth.Microsoft(f), c.want)
		}
	}
}

func oauthText(f oauth.Failure) string { return (&oauth.Error{Failure: f}).Error() }

func TestMicrosoft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		f    oauth.Failure
		want error
	}{
		// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-codes-for-token-endpoint-errors
		{"by code alone", oauth.Failure{Status: 400, Code: "invalid_grant"}, provider.ErrAuth},
		{"interaction", oauth.Failure{Status: 400, Code: "interaction_required", Subtype: "basic_action"}, provider.ErrAuth},
		{"consent withdrawn", oauth.Failure{Status: 400, Code: "invalid_grant", Subtype: "consent_required"}, provider.ErrAuth},
		{"consent, by code", oauth.Failure{Status: 400, Code: "consent_required"}, provider.ErrAuth},
		{"consent, by number", oauth.Failure{Status: 400, Code: "invalid_grant", Numbers: []int{65001}}, provider.ErrAuth},
		// A page was shown and consent is still missing: the policy does not let the person give it.
		{"consent in the redirect, by number", oauth.Failure{Code: "access_denied", Numbers: []int{65001}}, provider.ErrAdminConsent},
		{"consent in the redirect, by code", oauth.Failure{Code: "consent_required"}, provider.ErrAdminConsent},
		{"sign-in in the redirect", oauth.Failure{Code: "login_required"}, provider.ErrAuth},
		{"client", oauth.Failure{Status: 401, Code: "invalid_client"}, provider.ErrConfig},
		{"client not allowed", oauth.Failure{Status: 400, Code: "unauthorized_client"}, provider.ErrConfig},
		{"malformed", oauth.Failure{Status: 400, Code: "invalid_request"}, provider.ErrConfig},
		{"resource", oauth.Failure{Status: 400, Code: "invalid_resource"}, provider.ErrAdminConsent},
		{"busy", oauth.Failure{Status: 503, Code: "temporarily_unavailable"}, provider.ErrRetry},
		{"too fast", oauth.Failure{Status: 429}, provider.ErrRetry},
		{"broken", oauth.Failure{Status: 500, Code: "invalid_grant", Numbers: []int{50173}}, provider.ErrRetry},
		{"a code of tomorrow", oauth.Failure{Status: 400, Code: "brand_new"}, provider.ErrConfig},
		// Older answers put the general number first.
		{"two numbers", oauth.Failure{Status: 400, Code: "invalid_grant", Numbers: []int{70002, 50173}}, provider.ErrAuth},
		{"the general number alone", oauth.Failure{Status: 400, Code: "invalid_grant", Numbers: []int{70002}}, provider.ErrAuth},
		{"unknown number", oauth.Failure{Status: 400, Code: "invalid_grant", Numbers: []int{1}}, provider.ErrAuth},
		{"a person's number under the client's code", oauth.Failure{Status: 401, Code: "invalid_client", Numbers: []int{50034}}, provider.ErrConfig},
		// error_codes is missing: the number in the text.
		{"number in the text", oauth.Failure{Status: 400, Code: "invalid_grant", Description: "AADSTS50105: The signed in user is not assigned to a role"}, provider.ErrAdminConsent},
		{"two in the text", oauth.Failure{Status: 400, Code: "invalid_grant", Description: "AADSTS70002: Error. AADSTS50196: Loop."}, provider.ErrRetry},
		{"no number in the text", oauth.Failure{Status: 400, Code: "invalid_grant", Description: "AADSTS: 50105"}, provider.ErrAuth},
		{"error_codes win over the text", oauth.Failure{Status: 400, Code: "invalid_grant", Numbers: []int{70008}, Description: "AADSTS50105"}, provider.ErrAuth},
	} {
		wantOnly(t, c.name, oauth.Microsoft(c.f), c.want)
	}
}

func TestRefusalsSayWhenToComeBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want time.Duration
	}{
		{"not told", oauth.Google(oauth.Failure{Status: 503}), 0},
		{"told", oauth.Google(oauth.Failure{Status: 503, RetryAfter: 9 * time.Second}), 9 * time.Second},
		{"loop", oauth.Microsoft(oauth.Failure{Status: 400, Code: "invalid_grant", Numbers: []int{50196}}), 5 * time.Minute},
		{"loop, told", oauth.Microsoft(oauth.Failure{Status: 400, Numbers: []int{50196}, RetryAfter: time.Second}), time.Second},
	} {
		retry, ok := errors.AsType[*provider.RetryError](c.err)
		require.True(t, ok, c.name)
		require.Equal(t, c.want, retry.After, c.name)
	}
}

func TestConsentErrorHasTheAdministratorsLink(t *testing.T) {
	t.Parallel()
	c := &oauth.Client{AdminURL: "https://login.test/adminconsent?client_id=client-1", Classify: oauth.Microsoft}
	err := c.RedirectError(url.Values{"error": {"access_denied"}, "error_description": {"AADSTS90094: admin"}})
	consent, ok := errors.AsType[*provider.ConsentError](err)
	require.True(t, ok)
	require.Equal(t, c.AdminURL, consent.URL)
	consent, ok = errors.AsType[*provider.ConsentError](oauth.Google(oauth.Failure{Code: "admin_policy_enforced"}))
	require.True(t, ok)
	require.Contains(t, consent.URL, "https://support.google.com/")
}

func TestRedirectError(t *testing.T) {
	t.Parallel()
	google, microsoft, plain := oauth.Google, oauth.Microsoft, (func(oauth.Failure) error)(nil)
	for _, c := range []struct {
		name     string
		classify func(oauth.Failure) error
		query    string
		want     error
	}{
		{"person said no", google, "error=access_denied", provider.ErrAuth},
		{"administrator blocks", google, "error=admin_policy_enforced", provider.ErrAdminConsent},
		{"internal elsewhere", google, "error=org_internal", provider.ErrAdminConsent},
		{"redirect not registered", google, "error=redirect_uri_mismatch", provider.ErrConfig},
		{"session control", google, "error=x&error_subtype=rapt_required", provider.ErrAuth},
		{"person said no", microsoft, "error=access_denied&error_description=AADSTS65004%3A+User+declined", provider.ErrAuth},
		{"cancelled", microsoft, "error=access_denied&error_subcode=cancel", provider.ErrAuth},
		{"administrator must consent", microsoft, "error=consent_required&error_description=AADSTS90094%3A+x", provider.ErrAdminConsent},
		{"consent, suberror", microsoft, "error=access_denied&suberror=consent_required", provider.ErrAdminConsent},
		{"busy (RFC 6749 4.1.2.1)", microsoft, "error=temporarily_unavailable", provider.ErrRetry},
		{"response type (RFC 6749 4.1.2.1)", plain, "error=unsupported_response_type", provider.ErrConfig},
		{"client (RFC 6749 4.1.2.1)", plain, "error=unauthorized_client", provider.ErrConfig},
		{"server (RFC 6749 4.1.2.1)", plain, "error=server_error", provider.ErrRetry},
		{"person said no (RFC 6749 4.1.2.1)", plain, "error=access_denied", provider.ErrAuth},
	} {
		params, err := url.ParseQuery(c.query)
		require.NoError(t, err, c.name)
		client := &oauth.Client{Classify: c.classify}
		wantOnly(t, c.name, client.RedirectError(params), c.want)
	}
	require.NoError(t, (&oauth.Client{}).RedirectError(url.Values{"code": {"c"}, "state": {"s"}}))
}

func TestCauseTellsTheServicesWordsWithoutThePersons(t *testing.T) {
	t.Parallel()
	f := oauth.Failure{
		Status: 400, Code: "invalid_grant", Subtype: "bad_token", Numbers: []int{50020},
		Description: "AADSTS50020: User account 'ann@acme.com' from identity provider 'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/' does not exist.\r\nTrace ID: 0b1f0a4c-9fd2-4b4b-9c36-0c1a53a70b00",
	}
	err := oauth.Microsoft(f)
	cause, ok := errors.AsType[*oauth.Error](err)
	require.True(t, ok)
	require.Equal(t, "token endpoint: 400 invalid_grant bad_token 50020: AADSTS50020: User account '[address]' from identity "+
		"provider 'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/' does not exist. "+
		"Trace ID: 0b1f0a4c-9fd2-4b4b-9c36-0c1a53a70b00", cause.Error())
	require.NotContains(t, cause.Failure.Description, "ann@", "the fields are scrubbed too")
	require.Equal(t, "redirect: access_denied", (&oauth.Error{Failure: oauth.Failure{Code: "access_denied"}}).Error())
	forged := &oauth.Error{Failure: oauth.Failure{Code: "x\n2026 admin@acme.com logged in"}}
	require.Equal(t, "redirect: x 2026 [address] logged in", forged.Error())
}
