package rfc822

import "strings"

// The words mail programs put around quoted mail, as their translations have
// them. All are lower case. A word is listed only if some program writes it.

type headerKind byte

const (
	headerFrom headerKind = iota
	headerDate
	headerTo
	headerSubject
	headerOther
	headerKinds
)

var headerWords = func() map[string]headerKind {
	words := make(map[string]headerKind)
	for kind, list := range [headerKinds]string{
		headerFrom: "from|von|de|da|van|från|fra|od|от|від|lähettäjä|feladó|kimden|gönderen|από|" +
			"expéditeur|remitente|remetente|mittente|afzender|afsender|avsender|avsändare|nadawca|" +
			"отправитель|发件人|寄件者|寄件人|差出人|送信元|보낸 사람|보낸사람|מאת|من|expeditor|odesílatel",
		headerDate: "sent|date|gesendet|datum|envoyé|date d'envoi|enviado|enviado el|enviada em|" +
			"enviado em|fecha|data|inviato|verzonden|skickat|sendt|dato|wysłano|data wysłania|" +
			"отправлено|дата|надіслано|lähetetty|päivämäärä|elküldve|dátum|tarih|gönderilme tarihi|" +
			"gönderildi|ημερομηνία|odesláno|sent on|发送时间|发送日期|日期|寄件日期|送信日時|日付|" +
			"보낸 날짜|날짜|נשלח|תאריך|تاريخ|trimis|poslano|odoslané",
		headerTo: "to|an|à|para|a|aan|till|til|do|кому|vastaanottaja|címzett|kime|alıcı|προς|" +
			"destinataire|destinatario|destinatário|komu|pro|adresat|收件人|收件者|宛先|받는 사람|" +
			"받는사람|אל|إلى|către",
		headerSubject: "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|" +
			"тема|aihe|tárgy|konu|θέμα|předmět|predmet|主题|主旨|主題|件名|제목|נושא|الموضوع|subiect",
		headerOther: "cc|kopie|copie|copia|kopia|kopi|cópia|c.c.|копия|копія|kopio|bilgi|másolat|" +
			"抄送|副本|참조|עותק|bcc|reply-to|antwort an|répondre à|responder a|risposta|rispondi a|" +
			"antwoord aan|svara till|svar til|odpowiedz do|обратный адрес|organization|attachments|" +
			"anlagen|importance|priorität|wichtigkeit|priority|importancia|添付ファイル",
	} {
		for word := range strings.SplitSeq(list, "|") {
			words[word] = headerKind(kind)
		}
	}
	return words
}()

// separatorWords stand between dashes.
var separatorWords = wordSet("original message|original-nachricht|original appointment|" +
	"reply message|forwarded message|forwarded by|forward header|begin forwarded message|" +
	"ursprüngliche nachricht|originalnachricht|originalmeldung|ursprüngliche mail|" +
	"weitergeleitete nachricht|weitergeleitete mail|message d'origine|message d’origine|" +
	"message original|message initial|courriel original|message transféré|message transmis|" +
	"message réexpédié|forwarded messages|mensaje original|mensaje reenviado|mensagem original|" +
	"mensagem encaminhada|mensagem reencaminhada|messaggio originale|messaggio inoltrato|" +
	"oorspronkelijk bericht|origineel bericht|doorgestuurd bericht|ursprungligt meddelande|" +
	"originalmeddelande|vidarebefordrat meddelande|oprindelig meddelelse|oprindelig besked|" +
	"videresendt meddelelse|videresendt besked|opprinnelig melding|original melding|" +
	"videresendt melding|alkuperäinen viesti|välitetty viesti|wiadomość oryginalna|" +
	"oryginalna wiadomość|wiadomość przekazana|przekazana wiadomość|treść przekazanej wiadomości|" +
	"původní zpráva|původní e-mail|přeposlaná zpráva|pôvodná správa|preposlaná správa|" +
	"eredeti üzenet|továbbított üzenet|mesaj original|mesaj redirecționat|" +
	"оригинальное сообщение|исходное сообщение|пересылаемое сообщение|" +
	"пересланное сообщение|конец пересылаемого сообщения|вихідне повідомлення|" +
	"переслане повідомлення|özgün ileti|orijinal mesaj|orjinal mesaj|iletilen mesaj|" +
	"yönlendirilen ileti|αρχικό μήνυμα|προωθημένο μήνυμα|izvorna poruka|originalna poruka|" +
	"原始邮件|邮件原件|转发邮件信息|转发的邮件|原始郵件|轉寄的郵件|原始訊息|元のメッセージ|" +
	"転送メッセージ|転送されたメッセージ|원본 메시지|원본 메일|전달된 메시지|הודעה מקורית|" +
	"הודעה שהועברה|الرسالة الأصلية|رسالة معاد توجيهها|tin nhắn gốc|pesan asli|pesan terusan")

// forwardWords stand alone on a line that ends in a colon.
var forwardWords = wordSet("begin forwarded message|anfang der weitergeleiteten nachricht|" +
	"anfang der weitergeleiteten e-mail|début du message réexpédié|début du message transféré|" +
	"inicio del mensaje reenviado|início da mensagem reencaminhada|início da mensagem encaminhada|" +
	"inizio messaggio inoltrato|begin doorgestuurd bericht|vidarebefordrat brev|" +
	"start på videresendt besked|start på videresendt melding|välitetty viesti alkaa|" +
	"początek przekazywanej wiadomości|začátek přeposlané zprávy|начало переадресованного сообщения|" +
	"начало пересылаемого сообщения|iletilmiş mesajın başlangıcı|başlangıç iletilmiş mesaj|" +
	"下面是被转发的邮件|以下是轉寄的郵件|転送されたメッセージ|전달된 메시지 시작")

// wroteWords hold the verb of an attribution.
var wroteWords = strings.Split("wrote|writes|schrieb|geschrieben|a écrit|écrit|écrivait|escribió|"+
	"escribio|escreveu|ha scritto|scritto|scrisse|schreef|geschreven|skrev|napisał(a)|napisał|"+
	"napisała|pisze|napsal(a)|napsal|napsala|napísal(a)|napísal|написал(а)|написал|написала|"+
	"пишет|писал|пишет|написав|написала|пише|написа|kirjoitti|írta|yazdı|şunu yazdı|έγραψε|"+
	"a scris|napisao|napisala|je napisao/la|pisao|kirjutas|rašė|rakstīja|va escriure|"+
	"missatge de|đã viết|menulis|写道|写到|寫道|写|寫|のメール|さんは書きました|"+
	"の書き込み|작성|님이 작성|כתב|כתבה|מאת|كتب|كتبت|เขียนว่า|ha scritto|skrifaði", "|")

// openingWords begin an attribution that goes on with a date.
var openingWords = wordSet("on|at|am|um|le|el|em|il|op|den|dnia|w|dne|dňa|på|på|в|на|στις|" +
	"în|la|vào|pada|tanggal|du|om|el.|ts|ke|na|בתאריך|ב|في|เมื่อ|el·|vom|dana|kl|tarihinde|在|" +
	"于|quoting|citando|zitat|quotation|d.|z")

var weekDays = wordSet("mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|tuesday|wednesday|" +
	"thursday|friday|saturday|sunday|mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|" +
	"freitag|samstag|sonntag|lun|mar|mer|jeu|ven|sam|dim|lundi|mardi|mercredi|jeudi|vendredi|" +
	"samedi|dimanche|mié|jue|vie|sáb|dom|lunes|martes|miércoles|jueves|viernes|sábado|domingo|" +
	"seg|ter|qua|qui|sex|segunda|terça|quarta|quinta|sexta|gio|lunedì|martedì|mercoledì|giovedì|" +
	"venerdì|sabato|domenica|ma|wo|vr|za|zo|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|" +
	"zondag|mån|tis|ons|tors|fre|lör|sön|man|tir|tor|lør|søn|mandag|tirsdag|onsdag|torsdag|" +
	"fredag|lørdag|søndag|pon|wt|śr|czw|pt|sob|niedz|po|út|st|čt|pá|ne|ut|št|pi|h|k|sze|cs|p|szo|v|" +
	"ti|to|pe|la|su|пн|вт|ср|чт|пт|сб|вс|нд|понедельник|вторник|среда|четверг|пятница|суббота|" +
	"воскресенье|понеділок|середа|четвер|п’ятниця|субота|неділя|pzt|sal|çar|per|cum|cmt|paz|" +
	"lun.|luni|marți|miercuri|joi|vineri|sâmbătă|duminică|δευ|τρί|τετ|πέμ|παρ|σάβ|κυρ")

// trailerWords begin the line a phone or mail program adds at the end. What is
// behind an ellipsis must follow somewhere.
var trailerWords = strings.Split("sent from|get outlook for|"+
	"envoyé de|envoyé depuis|envoyé à partir|envoyé avec|von meinem…gesendet|gesendet von|gesendet mit|"+
	"gesendet über|gesendet aus|diese nachricht wurde von meinem|diese nachricht wurde mit…gesendet|"+
	"enviado desde|enviado do|enviado de|enviado a partir|enviado con|enviado com|enviado via|"+
	"inviato da|inviata da|inviato con|verzonden met|verzonden vanaf|verzonden vanuit|verzonden via|"+
	"verstuurd vanaf|verstuurd met|sendt fra|sendt med|sendt via|skickat från|skickat med|"+
	"skickat via|lähetetty|wysłane z|wysłano z|wysłane za pomocą|odesláno z|odesláno ze|odoslané z|"+
	"отправлено с|отправлено из|надіслано з|küldve|iphone'umdan gönderildi|gönderildi|στάλθηκε από|"+
	"trimis de pe|trimis din|poslano s|poslano z|發自我的|从我的…发送|從我的…傳送|发自我的|发送自|發送自|"+
	"iphoneから送信|ipadから送信|から送信|나의 iphone에서 보냄|내 iphone에서 보냄|"+
	"נשלח מה|أرسلت من|تم الإرسال من|đã gửi từ|dikirim dari|get outlook|hol dir outlook|"+
	"télécharger outlook|obtener outlook|scarica outlook|outlook voor|hämta outlook", "|")

func wordSet(list string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.SplitSeq(list, "|") {
		set[word] = true
	}
	return set
}

// maxTrailer bounds a line such as "Sent from my phone", in bytes.
const maxTrailer = 160

// isTrailer knows the lines phones and mail programs add at the end, and the
// lone U+1427 of a widespread tracking extension.
func isTrailer(l string) bool {
	if len(l) > maxTrailer {
		return false
	}
	t := strings.Trim(foldMark(l), " <>()[]*_-–—.")
	if t == "ᐧ" {
		return true
	}
	t = strings.ReplaceAll(t, "[", "")
	for _, w := range trailerWords {
		start, then, _ := strings.Cut(w, "…")
		if strings.HasPrefix(t, start) && strings.Contains(t[len(start):], then) {
			return true
		}
	}
	words := strings.Fields(t)
	return isPhoneLine(words) || isSentLine(words)
}

// isPhoneLine knows "From my iPhone" and "Somebody from mobile".
func isPhoneLine(words []string) bool {
	if len(words) < 3 || len(words) > 6 {
		return false
	}
	if words[0] == "from" && words[1] == "my" {
		return isDevice(words[2])
	}
	return words[len(words)-2] == "from" && isDevice(words[len(words)-1])
}

// isSentLine knows "Sent via mobile". Longer, it is more likely a sentence.
func isSentLine(words []string) bool {
	if len(words) < 3 || len(words) > 4 || words[0] != "sent" {
		return false
	}
	return words[1] == "via" || words[1] == "with" || words[1] == "by" || words[1] == "using"
}

func isDevice(word string) bool {
	switch word {
	case "iphone", "ipad", "ipod", "android", "phone", "mobile", "blackberry", "tablet", "cell",
		"samsung", "pixel", "galaxy", "windows", "nokia", "htc":
		return true
	}
	return false
}
