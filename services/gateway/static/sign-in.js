// A sign-in link carries its secret behind the #, which browsers send to nobody. It is taken out of the address and put
// into the form; the page says whom it is for, and nothing happens before the button is pressed.
const secret = decodeURIComponent(location.hash.slice(1));
if (secret) {
  history.replaceState(null, "", location.pathname);
  document.querySelector("#secret").value = secret;
  const told = document.querySelector("#who");
  try {
    const answer = await fetch("/sign-in/who", { method: "POST", body: new URLSearchParams({ secret }) });
    const body = await answer.json();
    told.textContent = answer.ok ? body.question : body.detail;
    document.querySelector("#pasted").hidden = answer.ok;
    if (answer.ok) document.querySelector("#sign-in button").focus();
  } catch {
    told.textContent = "We could not check who this link is for. You can still sign in.";
  }
  told.hidden = false;
}
