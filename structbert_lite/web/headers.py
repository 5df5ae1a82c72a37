"""Headers that tell a browser how little it has to allow."""

ANSWERS = {
    "X-Content-Type-Options": "nosniff",
    # Other sites get nothing into their pages as an image, a script or a frame. Scripts with CORS are not meant by it.
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Pages load what this server holds and nothing else; nothing inline, no frame around them, no plug-in.
CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # Swagger UI draws its arrows from data: addresses
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
# What a page could ask the user for and never does.
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
PAGES = {
    "Content-Security-Policy": "; ".join(" ".join(rule) for rule in CONTENT_SECURITY_POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Referrer-Policy": "no-referrer",
}
