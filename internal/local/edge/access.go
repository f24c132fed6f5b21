package edge

import (
	"net/http"
	"time"
)

// tokenName is the query parameter and the cookie that carry an access token.
const tokenName = "esa_er_token"

// admit reports whether the request may see a default domain; if not, it has
// answered 401. A good token in the query becomes a cookie, so that what the
// page refers to loads too.
func (e *edge) admit(w http.ResponseWriter, r *http.Request, routineID int64) bool {
	reason := "the request has none"
	for _, token := range r.URL.Query()[tokenName] {
		expires, err := e.svc.CheckToken(token, routineID)
		if err != nil {
			reason = err.Error()
			continue
		}
		cookie := http.Cookie{
			Name: tokenName, Value: token, Path: "/",
			MaxAge:   max(1, int(expires.Sub(e.cfg.Now())/time.Second)),
			HttpOnly: true, SameSite: http.SameSiteLaxMode,
		}
		w.Header().Set("Set-Cookie", cookie.String()) // set, for a request may be tried twice
		return true
	}
	for _, cookie := range r.CookiesNamed(tokenName) {
		_, err := e.svc.CheckToken(cookie.Value, routineID)
		if err == nil {
			return true
		}
		reason = err.Error()
	}
	problem(w, r, http.StatusUnauthorized, "This default domain is private. It needs an access token of GetRoutineAccessToken, "+
		"good for one hour, as ?%s=TOKEN or as a cookie of that name; %s.", tokenName, reason)
	return false
}
