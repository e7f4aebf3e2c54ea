// {{ signature }}
// An empty base URL means same origin. The URLs of Lambda functions are known only after apply, then this writes the
// whole file with them: `terraform -chdir={{ root }} output -raw config_js > {{ path }}`
window.CONFIG = Object.freeze({{ json }});
