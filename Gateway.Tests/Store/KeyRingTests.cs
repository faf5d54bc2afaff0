using System.Xml.Linq;
using Gateway.Edge;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Store;

/// <summary>The key ring that protects what browsers carry.</summary>
public sealed class KeyRingTests
{
    [Fact]
    public async Task ItIsInTheStoreAndEncryptedWhenAKeyIsConfigured()
    {
        foreach (var (more, isOpen) in new[] { ("", true), ("\nstore: {encryption_key: a long secret}", false) })
        {
            await using var gateway = await TestGateway.StartAsync(
                more: "bootstrap: {owner: proxy:alice}" + more, server: "  trusted_proxies: [127.0.0.1]");
            using var browser = new Browser(gateway);
            (await browser.SubmitAsync("/admin/login", "/admin/login", ("api_key", gateway.Headscale.ApiKey))).Status.Should().Be(302);

            var ring = gateway.App.Services.GetRequiredService<KeyRing>().GetAllElements();

            ring.Should().NotBeEmpty();
            ring.Any(one => one.ToString().Contains("<masterKey", StringComparison.Ordinal)).Should().Be(isOpen);
        }
    }

    [Theory]
    [InlineData("right", null)]
    [InlineData("wrong", "store.encryption_key is not the key")]
    [InlineData(null, "set store.encryption_key")]
    public void ItOpensWithItsKeyAndElseSaysWhatIsMissing(string? key, string? complaint)
    {
        var box = new KeyRingEncryption(new Secret("right")).Encrypt(new XElement("masterKey", "value")).EncryptedElement;
        var services = new ServiceCollection().AddSingleton(new StoreSettings(StoreKind.Sqlite, "", key is null ? null : new Secret(key)))
            .BuildServiceProvider();
        var decryption = new KeyRingDecryption(services);

        if (complaint is null)
        {
            decryption.Decrypt(box).Value.Should().Be("value");
        }
        else
        {
            FluentActions.Invoking(() => decryption.Decrypt(box)).Should().ThrowExactly<StoreException>().Which.Message.Should()
                .Contain(complaint);
        }
    }
}
