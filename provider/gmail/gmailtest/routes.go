package gmailtest

import "net/http"

// routes are the calls of the API. Names, verbs, paths and scopes are those of the discovery
// document.
var routes = []route{
	{method: "getProfile", verb: http.MethodGet, path: "profile", scopes: mayProfile, do: getProfile},
	{method: "watch", verb: http.MethodPost, path: "watch", scopes: mayList, do: startWatch, lockOff: true},
	{method: "stop", verb: http.MethodPost, path: "stop", scopes: mayList, do: stopWatch},
	{method: "labels.list", verb: http.MethodGet, path: "labels", scopes: mayLabels, do: listLabels},
	{method: "labels.get", verb: http.MethodGet, path: "labels/*", scopes: mayLabels, do: getLabel},
	{method: "history.list", verb: http.MethodGet, path: "history", scopes: mayList, do: listHistory},
	{method: "messages.list", verb: http.MethodGet, path: "messages", scopes: mayList, do: listMessages},
	{
		method: "messages.send", verb: http.MethodPost, path: "messages/send", scopes: maySend,
		do: sendMessage, lockOff: true, upload: true,
	},
	{
		method: "messages.batchModify", verb: http.MethodPost, path: "messages/batchModify",
		scopes: mayModify, do: batchModify, lockOff: true,
	},
	{
		method: "messages.batchDelete", verb: http.MethodPost, path: "messages/batchDelete",
		scopes: mayDelete, do: batchDelete, lockOff: true,
	},
	{
		method: "messages.get", verb: http.MethodGet, path: "messages/*", scopes: mayList,
		do: getMessage, lockOff: true,
	},
	{
		method: "messages.delete", verb: http.MethodDelete, path: "messages/*", scopes: mayDelete,
		do: deleteMessage,
	},
	{
		method: "messages.modify", verb: http.MethodPost, path: "messages/*/modify",
		scopes: mayModify, do: modifyMessage, lockOff: true,
	},
	{
		method: "messages.trash", verb: http.MethodPost, path: "messages/*/trash",
		scopes: mayModify, do: trashMessage,
	},
	{
		method: "messages.untrash", verb: http.MethodPost, path: "messages/*/untrash",
		scopes: mayModify, do: untrashMessage,
	},
	{
		method: "messages.attachments.get", verb: http.MethodGet, path: "messages/*/attachments/*",
		scopes: mayRead, do: getAttachment, lockOff: true,
	},
	{method: "threads.list", verb: http.MethodGet, path: "threads", scopes: mayList, do: listThreads},
	{
		method: "threads.get", verb: http.MethodGet, path: "threads/*", scopes: mayList,
		do: getThread, lockOff: true,
	},
	{method: "drafts.list", verb: http.MethodGet, path: "drafts", scopes: mayDrafts, do: listDrafts},
	{
		method: "drafts.create", verb: http.MethodPost, path: "drafts", scopes: mayCompose,
		do: createDraft, lockOff: true, upload: true,
	},
	{
		method: "drafts.send", verb: http.MethodPost, path: "drafts/send", scopes: mayCompose,
		do: sendDraft, lockOff: true, upload: true,
	},
	{
		method: "drafts.get", verb: http.MethodGet, path: "drafts/*", scopes: mayDrafts,
		do: getDraft, lockOff: true,
	},
	{
		method: "drafts.update", verb: http.MethodPut, path: "drafts/*", scopes: mayCompose,
		do: updateDraft, lockOff: true, upload: true,
	},
	{
		method: "drafts.delete", verb: http.MethodDelete, path: "drafts/*", scopes: mayCompose,
		do: deleteDraft,
	},
	{
		method: "settings.sendAs.list", verb: http.MethodGet, path: "settings/sendAs",
		scopes: maySettings, do: listSendAs,
	},
	{
		method: "settings.sendAs.get", verb: http.MethodGet, path: "settings/sendAs/*",
		scopes: maySettings, do: getSendAs,
	},
}
