package gmail

// What is asked for beside the interest of a walk: delivery reports and automatic replies, whoever
// they are from.
//
// Gmail cannot search header fields, so these are the senders and the subjects by which package
// rfc822 knows them too; the caller looks again. What neither tells and Gmail has not put into a
// thread with mail of interest is not found: a report or an automatic reply from an unusual sender
// with an unusual subject. That is all a narrowed walk leaves out.

// reportSenders are the senders of delivery reports. A search finds whole words, so that the local
// part with which Exchange signs its reports is asked for as it always is
// (https://learn.microsoft.com/exchange/mail-flow/non-delivery-reports-and-bounce-messages).
var reportSenders = []string{
	"mailer-daemon", "mailerdaemon", "mail-daemon", "postmaster", "microsoftexchange",
	"microsoftexchange329e71ec88ae4615bbc36ab6ce41109e",
}

// reportSubjects are words and phrases in the subjects of delivery reports and automatic replies. A
// bare "auto", which such a subject may begin with too, is left out: it is the car in every other
// language.
var reportSubjects = []string{
	"undeliverable", "undelivered", "undeliver", "undelivery", "returned mail", "mail delivery failed",
	"mail delivery failure", "mail delivery fail", "delivery status notification", "delivery failure",
	"failure notice", "delivery report", "mail system error", "mail could not be delivered",
	"non-delivery", "nondeliverable mail", "delivery notification", "delivery has failed",
	"mail delivery status", "message delivery", "mail failure", "warning: could not send",
	"unzustellbar", "non remis", "no se puede entregar",

	"automatic reply", "auto reply", "auto-reply", "autoreply", "auto response", "auto-response",
	"autoresponse", "automated reply", "automated response", "automatic response", "out of office",
	"out-of-office", "out of the office", "vacation", "ooo", "away from my mail",
	"automatische antwort", "abwesenheitsnotiz", "abwesenheitsassistent", "abwesend",
	"abwesenheitsmeldung", "autoantwort", "réponse automatique", "réponse d'absence",
	"absence du bureau", "message d'absence", "respuesta automática", "respuesta automatica",
	"fuera de la oficina", "fuera de oficina", "resposta automática", "resposta automatica",
	"fora do escritório", "fora do escritorio", "risposta automatica", "fuori sede", "fuori ufficio",
	"automatisch antwoord", "automatisch bericht", "afwezig", "afwezigheidsbericht", "autosvar",
	"automatiskt svar", "automatisk svar", "frånvaro", "fraværende", "poissa",
	"automaattinen vastaus", "odpowiedź automatyczna", "autoodpowiedź", "automatická odpověď",
	"automatická odpoveď", "automatikus válasz", "automatik yanıt", "otomatik yanıt",
	"автоматический ответ", "автоответ", "自動応答", "自動返信", "不在通知", "自动回复", "自動回覆",
	"자동 회신", "자동응답",
}

// reportTerms are the search terms of both.
func reportTerms() []string {
	var terms []string
	for _, s := range reportSenders {
		terms = append(terms, "from:"+s)
	}
	for _, s := range reportSubjects {
		terms = append(terms, `subject:"`+s+`"`)
	}
	return terms
}
