using System.Diagnostics;
using Gateway.Sandbox;

namespace Gateway.Tests;

/// <summary>The sandbox shows what it says it shows.</summary>
public sealed class SandboxTests
{
    [Theory]
    [InlineData("0.26")]
    [InlineData("0.30")]
    public async Task EveryPrintedCommandShowsWhatItSaysAndCtrlCLeavesNothingBehind(string version)
    {
        var start = GatewayProcess.Command("--headscale-version", version);
        start.ArgumentList[0] = Path.Combine(AppContext.BaseDirectory, "gateway-sandbox.dll");
        start.RedirectStandardOutput = true;
        using var sandbox = Process.Start(start)!;

        var (commands, provider, entry) = await ReadCommandsAsync(sandbox.StandardOutput);
        var rest = sandbox.StandardOutput.ReadToEndAsync();
        var folder = Path.GetDirectoryName(commands["audited"].Split(' ')[^1])!;
        var shown = new Dictionary<string, string>();
        foreach (var (what, command) in commands)
        {
            shown[what] = await RunAsync(command);
        }

        var me = await SignInAsync(provider, entry);
        using (Process.Start("kill", ["-INT", $"{sandbox.Id}"]))
        {
            await sandbox.WaitForExitAsync();
        }

        await rest;
        Assert.Contains("\"db-1\"", shown["allowed"], StringComparison.Ordinal);
        Assert.Contains("sam-laptop", shown["filtered"], StringComparison.Ordinal);
        Assert.DoesNotContain("alice-laptop", shown["filtered"], StringComparison.Ordinal);
        Assert.Contains("\"preAuthKey\":null", shown["filtered"], StringComparison.Ordinal);
        Assert.Contains("your role viewer lacks write_machines", shown["refused"], StringComparison.Ordinal);
        Assert.Contains("\"users\"", shown["own key"], StringComparison.Ordinal);
        Assert.Contains("role_too_low", shown["audited"], StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 101 ", shown["ts2021"], StringComparison.Ordinal);
        Assert.Contains("\"headscaleUser\":{\"id\":\"31\",\"name\":\"pia\"}", me, StringComparison.Ordinal);
        Assert.Equal(0, sandbox.ExitCode);
        Assert.False(Directory.Exists(folder));
    }

    private static async Task<(Dictionary<string, string> Commands, string Provider, string Entry)> ReadCommandsAsync(StreamReader output)
    {
        var (commands, provider, entry) = (new Dictionary<string, string>(), "", "");
        while (!commands.ContainsKey("ts2021"))
        {
            var line = await output.ReadLineAsync() ?? throw new InvalidOperationException("the sandbox ended");
            if (line.TrimStart().StartsWith("provider (OpenID Connect) ", StringComparison.Ordinal))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                (provider, entry) = (words[3], words[^1]);
            }
            else if (line.TrimStart().Split(": ", 2) is [var what, var command] && (command.TrimStart().StartsWith("curl ", StringComparison.Ordinal) || command.TrimStart().StartsWith("dotnet ", StringComparison.Ordinal)))
            {
                commands[what] = command.Trim();
            }
        }

        return (commands, provider, entry);
    }

    /// <summary>Opens the printed address, presses the button, picks Pia, and asks who that is.</summary>
    private static async Task<string> SignInAsync(string provider, string entry)
    {
        using var http = new HttpClient();
        var picker = await http.GetAsync(new Uri(new Uri(entry), "/admin/oidc/start"));
        var address = picker.RequestMessage!.RequestUri!;
        Assert.StartsWith(provider, address.AbsoluteUri, StringComparison.Ordinal);
        Assert.Contains("Who are you?", await picker.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("Overview", await http.GetStringAsync(new Uri(address.AbsoluteUri.Replace("/authorize?", "/as/pia?", StringComparison.Ordinal))), StringComparison.Ordinal);
        return await http.GetStringAsync(new Uri(new Uri(entry), "/admin/api/me"));
    }

    private static async Task<string> RunAsync(string command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true };
        using var shell = Process.Start(start)!;
        var text = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return text;
    }
}
