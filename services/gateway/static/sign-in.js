// A sign-in link carries its secret behind the #, which browsers send to nobody. It is handed over and taken out of the
// address.
const secret = decodeURIComponent(location.hash.slice(1));
if (secret) {
  history.replaceState(null, "", location.pathname);
  document.querySelector("#secret").value = secret;
  document.querySelector("#sign-in").submit();
}
