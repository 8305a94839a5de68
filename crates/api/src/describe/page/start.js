// The key is kept in the page's memory only: it is gone with the tab.
SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  syntaxHighlight: { activated: false },
});
