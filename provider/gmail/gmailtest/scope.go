package gmailtest

// The scopes of the Gmail API that calls may ask for.
const (
	scopeFull     = "https://mail.google.com/"
	scopeModify   = "https://www.googleapis.com/auth/gmail.modify"
	scopeReadonly = "https://www.googleapis.com/auth/gmail.readonly"
	scopeMetadata = "https://www.googleapis.com/auth/gmail.metadata"
	scopeCompose  = "https://www.googleapis.com/auth/gmail.compose"
	scopeSend     = "https://www.googleapis.com/auth/gmail.send"
	scopeLabels   = "https://www.googleapis.com/auth/gmail.labels"
	scopeSettings = "https://www.googleapis.com/auth/gmail.settings.basic"
)

// Which scopes allow what.
var (
	mayRead     = []string{scopeFull, scopeModify, scopeReadonly}
	mayList     = []string{scopeFull, scopeModify, scopeReadonly, scopeMetadata}
	mayLabels   = []string{scopeFull, scopeModify, scopeReadonly, scopeMetadata, scopeLabels}
	mayProfile  = []string{scopeFull, scopeModify, scopeReadonly, scopeMetadata, scopeCompose}
	maySend     = []string{scopeFull, scopeModify, scopeCompose, scopeSend}
	mayCompose  = []string{scopeFull, scopeModify, scopeCompose}
	mayDrafts   = []string{scopeFull, scopeModify, scopeCompose, scopeReadonly}
	mayModify   = []string{scopeFull, scopeModify}
	mayDelete   = []string{scopeFull}
	maySettings = []string{scopeFull, scopeModify, scopeReadonly, scopeSettings}
)
