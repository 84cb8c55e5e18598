package rfc822

// statusCode returns the first enhanced status code (RFC 3463) in a text, or "".
func statusCode(text string) string {
	code, _ := nextStatus(text)
	return code
}

// nextStatus returns the first enhanced status code and where the text after it begins. Version
// numbers and addresses of hosts have more or fewer parts and are passed by.
func nextStatus(text string) (code string, end int) {
	for i := 0; i+4 < len(text); i++ {
		if text[i] != '2' && text[i] != '4' && text[i] != '5' || text[i+1] != '.' {
			continue
		}
		if i > 0 && (asciiDigit(text[i-1]) || text[i-1] == '.') {
			continue
		}
		subject := digitsAt(text, i+2)
		k := i + 2 + subject
		if subject == 0 || subject > 3 || k >= len(text) || text[k] != '.' {
			continue
		}
		detail := digitsAt(text, k+1)
		end = k + 1 + detail
		if detail == 0 || detail > 3 || end+1 < len(text) && text[end] == '.' && asciiDigit(text[end+1]) {
			continue
		}
		return text[i:end], end
	}
	return "", len(text)
}

func digitsAt(s string, i int) int {
	n := 0
	for i+n < len(s) && asciiDigit(s[i+n]) {
		n++
	}
	return n
}

// replyCode returns the first SMTP reply code of a refusal (RFC 5321 section 4.2) in a text, or "".
func replyCode(text string) string {
	for i := 0; i+2 < len(text); i++ {
		if text[i] != '4' && text[i] != '5' || text[i+1] < '0' || text[i+1] > '7' || !asciiDigit(text[i+2]) {
			continue
		}
		if i > 0 && (asciiDigit(text[i-1]) || text[i-1] == '.' || text[i-1] == '-') {
			continue
		}
		if i+3 < len(text) {
			switch text[i+3] {
			case ' ', '-', '#', ':', ';', ',', ')', ']', '\'', '"', '\n':
			default:
				continue
			}
		}
		return text[i : i+3]
	}
	return ""
}
