// Fills `/docs` with all calls of the API. The viewer is a script of its package, loaded before this one.
globalThis.SwaggerUIBundle({
  url: `${document.body.dataset.prefix}/docs/openapi-3.0.json`,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
