package properties

import "syscall"

var systemSocketNames = map[string]int{
	"SO_PRIORITY":      syscall.SO_PRIORITY,
	"SO_MARK":          syscall.SO_MARK,
	"IP_TOS":           syscall.IP_TOS,
	"IPV6_TCLASS":      syscall.IPV6_TCLASS,
	"TCP_KEEPIDLE":     syscall.TCP_KEEPIDLE,
	"TCP_KEEPINTVL":    syscall.TCP_KEEPINTVL,
	"TCP_KEEPCNT":      syscall.TCP_KEEPCNT,
	"TCP_QUICKACK":     syscall.TCP_QUICKACK,
	"TCP_USER_TIMEOUT": 18, // package syscall lacks it
	"TCP_MAXSEG":       syscall.TCP_MAXSEG,
}
