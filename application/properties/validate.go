package properties

import "brokerconn/adapters/tls"

// validate looks for what only several keys show.
func (r *reader) validate() {
	r.validateConnection()
	r.validateSchemes()
	r.validateScope()
	if r.usesTLS() {
		r.validateTLS()
	} else {
		r.s.TLS = tls.Options{}
	}
	if r.usesSASL() {
		r.validateSASL()
	} else {
		r.s.SASL = SASL{}
	}
}

func (r *reader) usesTLS() bool { return r.onlyTLS || r.s.Security.TLS() }

func (r *reader) usesSASL() bool { return !r.onlyTLS && r.s.Security.SASL() }

// validateScope looks for keys of a protection or a login that the connection does not
// have. A client that ignored them would send in clear what was meant for TLS.
func (r *reader) validateScope() {
	if r.rejected[securityKey] {
		return
	}
	protocol := r.s.Security
	for _, k := range keys() {
		p := r.given[k]
		unused := k.scope == forTLS && !r.usesTLS() || k.scope.sasl() && !r.usesSASL()
		if p == nil || !unused || r.rejected[k] {
			continue
		}
		wanted := "SSL or SASL_SSL"
		if k.scope.sasl() {
			wanted = "SASL_SSL or SASL_PLAINTEXT"
		}
		switch {
		case r.onlyTLS:
			r.ignore(p, "not used without a login")
		case k.optional:
			r.ignore(p, "not used with "+protocol.String())
		case r.has(securityKey):
			r.reject(p, "not used with %s=%v: set that to %s, or leave this out", r.given[securityKey].Key, protocol,
				wanted)
		default:
			r.reject(p, "not used without %s, whose default is PLAINTEXT: set that to %s", r.name(securityKey), wanted)
		}
	}
}
